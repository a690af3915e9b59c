import { fileURLToPath } from 'node:url';
import { ImageError } from './error.ts';
import { parseHttpUrl } from './http/url.ts';

/** The address of an image behind http or https, in its one spelling. @throws ImageError bad-reference */
export function parseAciUrl(text: string): string {
  const url = parseHttpUrl(text);
  // It is not sent, so it makes no difference.
  url.hash = '';
  return url.href;
}

/** The absolute path of `file:///PATH`. @throws ImageError bad-reference */
export function parseFileUrl(text: string): string {
  const path = pathOf(text);
  if (path.includes('\0')) throw bad(text);
  return path;
}

function pathOf(text: string): string {
  try {
    return fileURLToPath(text);
  } catch (cause) {
    throw bad(text, { cause });
  }
}

function bad(text: string, options?: ErrorOptions): ImageError {
  return new ImageError('bad-reference', `${JSON.stringify(text)} is not the URL of a local file`, options);
}
