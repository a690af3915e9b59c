import {
  type ExportFormat,
  exportImage as exportTo,
  extractImage as extractTo,
  renderImage as renderTo,
} from '../image/index.ts';
import type { Attention, Host } from './host.ts';
import { lookUpImage } from './image-lookup.ts';
import { ImageSession } from './image-session.ts';

export type { ExportFormat };

export interface ExportRequest {
  readonly image: string;
  readonly path: string;
  readonly format: ExportFormat;
  readonly overwrite: boolean;
}

export interface ExtractionRequest {
  readonly image: string;
  readonly directory: string;
  readonly rootfsOnly: boolean;
  readonly overwrite: boolean;
}

/** Writes an image to a file. @throws StoreError, ImageError */
export async function exportImage(host: Host, request: ExportRequest, attention: Attention): Promise<void> {
  await using session = new ImageSession(host, attention);
  await exportTo(session.store, lookUpImage(session.store, request.image), request, session.options);
}

/** Writes an image's own files to a directory. @throws StoreError, ImageError */
export async function extractImage(
  host: Host,
  request: ExtractionRequest,
  attention: Attention,
): Promise<void> {
  await using session = new ImageSession(host, attention);
  await extractTo(session.store, lookUpImage(session.store, request.image), request, session.options);
}

/** Writes what an app of the image would see to a directory. @throws StoreError, ImageError */
export async function renderImage(
  host: Host,
  request: ExtractionRequest,
  attention: Attention,
): Promise<void> {
  await using session = new ImageSession(host, attention);
  await renderTo(session.store, lookUpImage(session.store, request.image), request, session.options);
}
