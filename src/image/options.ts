import type { Platform } from '../oci/index.ts';
import type { ImageRecord, Pins } from '../store/index.ts';
import type { ImageEvent } from './event.ts';
import type { ArchiveLimits } from './layer.ts';

/** How an import is done, whatever the image comes from. */
export interface ImportOptions {
  /** Keeps what the import finds and makes until whoever asked for the image has said that it is used. */
  readonly pins: Pins;
  /** Whether to extract the layers: only root can. What has not been extracted is by the first who needs it. */
  readonly extract: boolean;
  /** Whether to take an image as the store has it, where it would be taken. Otherwise it is made anew from what it was asked for by. */
  readonly accepts?: (image: ImageRecord) => boolean;
  /** Whose variant of a multi-platform image to take. */
  readonly platform?: Platform;
  readonly report?: (event: ImageEvent) => void;
  readonly signal?: AbortSignal;
  readonly limits?: ArchiveLimits;
}
