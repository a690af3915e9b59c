import { AppcError } from '../appc/index.ts';
import { OciError } from '../oci/index.ts';
import { TrustError } from '../trust/index.ts';
import { ImageError } from './error.ts';
import { TarError } from './tar/index.ts';

/**
 * What is wrong with an image or inside of it, told with its name; what stops its import from outside (an abort, a full disk) as it
 * is.
 */
export function about(subject: string, error: unknown): unknown {
  if (error instanceof ImageError)
    return new ImageError(error.code, `${subject}: ${error.message}`, { cause: error });
  if (error instanceof TrustError)
    return new TrustError(error.code, `${subject}: ${error.message}`, { cause: error });
  const isContent = error instanceof TarError || error instanceof OciError || error instanceof AppcError;
  return isContent ? new ImageError('bad-image', `${subject}: ${error.message}`, { cause: error }) : error;
}
