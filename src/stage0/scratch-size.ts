import { LEAST_SCRATCH_BYTES, MOST_SCRATCH_BYTES } from '../abi/root-disks.ts';
import { parseQuantity, wholeUnits } from '../appc/index.ts';
import { Stage0Error } from './errors.ts';

/** In bytes, as `--scratch-size` says. Throws Stage0Error `bad-request`. */
export function requestedScratchSize(text: string): number {
  const bytes = sizeOf(text);
  if (bytes !== undefined && bytes >= LEAST_SCRATCH_BYTES && bytes <= MOST_SCRATCH_BYTES) return bytes;
  const range = `from ${LEAST_SCRATCH_BYTES / 1024 ** 2}Mi to ${MOST_SCRATCH_BYTES / 1024 ** 4}Ti`;
  throw new Stage0Error('bad-request', `--scratch-size: ${JSON.stringify(text)} is no size ${range}`);
}

function sizeOf(text: string): number | undefined {
  try {
    return wholeUnits(parseQuantity(text));
  } catch {
    return undefined;
  }
}
