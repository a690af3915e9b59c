import type { Platform } from '../oci/index.ts';
import type { ImageEvent } from './event.ts';
import type { ArchiveLimits } from './layer.ts';

export interface ImportOptions {
  /** `--insecure-options=image`: take images without a verified signature. */
  readonly insecureImage: boolean;
  /** Whose variant of a multi-platform image to take. */
  readonly platform?: Platform;
  readonly report?: (event: ImageEvent) => void;
  readonly signal?: AbortSignal;
  readonly limits?: ArchiveLimits;
}
