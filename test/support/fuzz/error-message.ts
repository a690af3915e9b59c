import { AppcError } from '../../../src/appc/index.ts';
import { ImageError } from '../../../src/image/index.ts';
import { OciError } from '../../../src/oci/index.ts';
import { StoreError } from '../../../src/store/index.ts';

const OURS = [ImageError, AppcError, OciError, StoreError];
const LONGEST_MESSAGE = 2000;

/** What is wrong with an error as an answer to whoever wanted the image: it is one of ours, in one line, and about the image. */
export function messageProblem(error: unknown): string | undefined {
  if (error === undefined) return undefined;
  if (!(error instanceof Error)) return `not an error was thrown: ${String(error)}`;
  const { message, stack } = error;
  if (!OURS.some((ours) => error instanceof ours)) return `not one of our errors: ${stack}`;
  if (/[\0-\x1f\x7f-\x9f]/.test(message))
    return `message with control characters: ${JSON.stringify(message)}`;
  if (message.includes('EROFS')) return `wrote to where nobody may: ${message}`;
  if (message.length > LONGEST_MESSAGE) return `message of ${message.length} characters`;
  return undefined;
}
