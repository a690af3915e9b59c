import { formatImageManifest } from '../appc/index.ts';
import {
  fetchImage as fetchInto,
  type PodUsage,
  type PullPolicy,
  parseReference,
  verifyImage,
} from '../image/index.ts';
import { exclusive, tryExclusive } from '../os/lock.ts';
import { type ImageRecord, type ImageSummary, openStore } from '../store/index.ts';
import { type Attention, type Host, preparationLock } from './host.ts';
import { makeDisks } from './image-disks.ts';
import { lookUpImage } from './image-lookup.ts';
import { ImageSession } from './image-session.ts';
import { layersOfPods } from './pod-usage.ts';

export type { ImageRecord, ImageSummary, PullPolicy };

export interface FetchRequest {
  /** The image string. */
  readonly image: string;
  readonly pullPolicy: PullPolicy;
  /** Path of a detached signature. */
  readonly signature?: string;
  readonly authFiles: readonly string[];
}

/** Brings an image into the store, and makes what machines read it from. @throws what `fetchImage` of src/image throws */
export async function fetchImage(
  host: Host,
  { image, pullPolicy, signature, authFiles }: FetchRequest,
  attention: Attention,
): Promise<ImageRecord> {
  await using session = new ImageSession(host, attention, authFiles);
  const reference = parseReference(image, process.cwd());
  const request = { reference, pullPolicy, ...(signature === undefined ? {} : { signature }) };
  const record = await fetchInto(session.context, request, session.options);
  await makeDisks(host, session.store, record, attention);
  return record;
}

export interface ImageListing {
  readonly images: readonly ImageSummary[];
  readonly problems: readonly { readonly id: string; readonly error: unknown }[];
}

/** All images of the store, and what is wrong with those that cannot be read. */
export function listImages(host: Host): ImageListing {
  const store = openStore(host.dataDirectory);
  const images: ImageSummary[] = [];
  const problems: { id: string; error: unknown }[] = [];
  for (const id of store.list()) {
    try {
      const summary = store.summary(id);
      if (summary !== undefined) images.push(summary);
    } catch (error) {
      problems.push({ id, error });
    }
  }
  return { images, problems };
}

/** An image's manifest as JSON, with `indent` as JSON.stringify takes it. @throws StoreError */
export function catImageManifest(host: Host, image: string, indent: string | undefined): string {
  const { manifest } = lookUpImage(openStore(host.dataDirectory), image);
  return formatImageManifest(manifest, indent);
}

export type VerifyEvent =
  | { readonly kind: 'verified'; readonly image: string; readonly id: string }
  | { readonly kind: 'rebuilt'; readonly image: string; readonly id: string; readonly problem: string }
  | { readonly kind: 'failed'; readonly image: string; readonly error: unknown };

/** Reads images again, each by itself, and puts right what can be. */
export async function verifyImages(
  host: Host,
  images: readonly string[],
  report: (event: VerifyEvent) => void,
  attention: Attention,
): Promise<void> {
  for (const image of images) {
    await using session = new ImageSession(host, attention);
    try {
      const record = lookUpImage(session.store, image);
      const { id } = record;
      const repairs = await verifyImage(session.store, record, usageOf(host, attention), session.options);
      for (const problem of repairs) report({ kind: 'rebuilt', image, id, problem });
      report({ kind: 'verified', image, id });
    } catch (error) {
      session.options.signal?.throwIfAborted();
      report({ kind: 'failed', image, error });
    }
  }
}

function usageOf(host: Host, { report, signal }: Attention): PodUsage {
  return {
    layers: () => layersOfPods(host),
    whileNoneIsMade: async (act) => {
      const path = preparationLock(host);
      const free = tryExclusive(path);
      if (free === undefined) report({ kind: 'wait', what: 'pods that are being prepared' });
      using _ = free ?? (await exclusive(path, signal));
      return await act();
    },
  };
}
