import { existsSync, statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ImageError } from './error.ts';

/** What an image string names. `text` is what the user wrote. */
export type ImageReference =
  | { readonly kind: 'aci-file'; readonly text: string; readonly path: string }
  | {
      readonly kind: 'oci-layout';
      readonly text: string;
      readonly path: string;
      readonly tag: string | undefined;
    }
  | {
      readonly kind: 'oci-archive';
      readonly text: string;
      readonly path: string;
      readonly tag: string | undefined;
    }
  /** In the store already; `id` may be a beginning of one. */
  | { readonly kind: 'image-id'; readonly text: string; readonly id: string };

/**
 * Reads an image string of the command line. Like rkt's: what has the suffix .aci or names an existing file is a file, also where it could
 * be a name. Paths become absolute against `directory`. @throws ImageError bad-reference, unsupported
 */
export function parseReference(text: string, directory: string): ImageReference {
  const scheme = /^([a-z][a-z0-9-]*):/.exec(text)?.[1];
  if (scheme === 'oci' || scheme === 'oci-archive') return ociReference(text, scheme, directory);
  if (/^sha(512|256)-[0-9a-f]*$/.test(text)) return { kind: 'image-id', text, id: text };
  if (scheme === 'file') return { kind: 'aci-file', text, path: filePath(text) };
  if (scheme !== undefined && SCHEMES.has(scheme)) {
    throw new ImageError('unsupported', `cannot fetch ${text}: images of kind ${scheme} are not supported`);
  }
  const path = resolve(directory, text);
  if (text.endsWith('.aci') || isAbsolute(text) || text.startsWith('.') || isFile(path))
    return { kind: 'aci-file', text, path };
  if (text === '') throw new ImageError('bad-reference', 'image string is empty');
  throw new ImageError(
    'unsupported',
    `cannot find ${text}: no such file, and discovery of image names is not supported`,
  );
}

const SCHEMES: ReadonlySet<string> = new Set(['docker', 'http', 'https', 'cimd', 'docker-archive', 'dir']);

// As skopeo and umoci cut it: the tag begins at the first colon, so that it may be a whole name with a colon in it.
function ociReference(text: string, scheme: 'oci' | 'oci-archive', directory: string): ImageReference {
  const rest = text.slice(scheme.length + 1);
  const colon = rest.indexOf(':');
  const name = colon === -1 ? rest : rest.slice(0, colon);
  const tag = colon === -1 ? undefined : rest.slice(colon + 1);
  if (name === '' || tag === '')
    throw new ImageError('bad-reference', `image string ${text} is not ${scheme}:PATH[:TAG]`);
  const path = resolve(directory, name);
  return scheme === 'oci'
    ? { kind: 'oci-layout', text, path, tag }
    : { kind: 'oci-archive', text, path, tag };
}

function filePath(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (cause) {
    throw new ImageError('bad-reference', `image string ${url} is not a file URL`, { cause });
  }
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}
