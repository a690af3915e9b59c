import { existsSync, statSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { AppcError, type ImageName, parseImageName } from '../appc/index.ts';
import { quote } from '../appc/json.ts';
import { formatCimd, parseCimd } from './cimd.ts';
import { ImageError } from './error.ts';
import { showUrl } from './http/url.ts';
import { parseAciUrl, parseFileUrl } from './location.ts';
import type { ImageOrigin, TaggedOrigin } from './origin.ts';
import { parseRegistryReference } from './registry/reference.ts';

/** What an image string names. `text` is what the user wrote. */
export type ImageReference = { readonly text: string } & (
  | ImageOrigin
  /** In the store already; `id` may be a beginning of one. */
  | { readonly kind: 'image-id'; readonly id: string }
);

const ACI = '.aci';

/** An image string, and what of it stands behind the scheme. */
interface Spelling {
  readonly text: string;
  readonly rest: string;
  readonly directory: string;
}

/** By what stands before the first colon. Everything else there is the name of an image: `my-app:v1.0`. */
const SCHEMES: Readonly<Record<string, (spelling: Spelling) => ImageOrigin>> = {
  cimd: ({ text }) => parseCimd(text),
  docker: ({ rest }) => ({ kind: 'docker', reference: parseRegistryReference(rest.replace(/^\/\//, '')) }),
  'docker-archive': dockerArchive,
  file: ({ text }) => ({ kind: 'aci-file', path: parseFileUrl(text) }),
  http: aciUrl,
  https: aciUrl,
  oci: (spelling) => tagged('oci-layout', 'oci:PATH[:TAG]', spelling),
  'oci-archive': (spelling) => tagged('oci-archive', 'oci-archive:PATH[:TAG]', spelling),
};

/** Of other tools: a name like these would be looked for on the network. */
const FOREIGN: Readonly<Record<string, string>> = {
  'docker-daemon': 'save it to a file (docker save -o FILE IMAGE) and take docker-archive:FILE',
  'containers-storage': 'push it to a file (podman push IMAGE oci-archive:FILE) and take oci-archive:FILE',
  dir: 'copy it to a layout (skopeo copy dir:PATH oci:LAYOUT) and take oci:LAYOUT',
};

/**
 * Reads an image string of the command line. Where it could be a name or a file it is, as for rkt, a file if it looks like one or if
 * there is a file called like that. Paths become absolute against `directory`. @throws ImageError bad-reference, unsupported
 */
export function parseReference(text: string, directory: string): ImageReference {
  if (text === '') throw bad('image string is empty');
  if (/^sha(512|256)-[0-9a-f]*$/.test(text)) return { kind: 'image-id', text, id: text };
  const scheme = /^([a-z][a-z0-9-]*):/.exec(text)?.[1] ?? '';
  const parse = Object.hasOwn(SCHEMES, scheme) ? SCHEMES[scheme] : undefined;
  if (parse !== undefined)
    return { ...parse({ text, rest: text.slice(scheme.length + 1), directory }), text };
  const path = resolve(directory, text);
  if (isPathLike(text) || isFile(path)) return { kind: 'aci-file', text, path };
  const way = Object.hasOwn(FOREIGN, scheme) ? FOREIGN[scheme] : undefined;
  if (way !== undefined)
    throw new ImageError('unsupported', `cannot fetch ${text}: images of ${scheme}: cannot be read (${way})`);
  return { kind: 'appc-name', text, ...imageName(text) };
}

/**
 * One text for all image strings that name the same: the key under which to remember what they led to. Beside ids it is a cimd URI,
 * which is an image string itself.
 */
export function canonicalReference(reference: ImageReference): string {
  return reference.kind === 'image-id' ? reference.id : formatCimd(reference);
}

/** A colon is for versions, so only what begins like a path may have one. */
function isPathLike(text: string): boolean {
  if (isAbsolute(text) || text.startsWith('.')) return true;
  return !text.includes(':') && (text.includes('./') || text.endsWith(ACI));
}

function isFile(path: string): boolean {
  return existsSync(path) && statSync(path).isFile();
}

function imageName(text: string): ImageName {
  try {
    return parseImageName(text);
  } catch (cause) {
    if (!(cause instanceof AppcError)) throw cause;
    throw bad(`image string ${quote(text)} names neither a file nor an image: ${cause.message}`, { cause });
  }
}

function aciUrl({ text }: Spelling): ImageOrigin {
  const url = parseAciUrl(text);
  if (!new URL(url).pathname.endsWith(ACI))
    throw bad(`${showUrl(new URL(url))} is not the URL of an ${ACI} file`);
  return { kind: 'aci-url', url };
}

function dockerArchive(spelling: Spelling): ImageOrigin {
  const origin = tagged('docker-archive', 'docker-archive:FILE[:REPOSITORY[:TAG]]', spelling);
  if (origin.tag !== undefined && parseRegistryReference(origin.tag).digest !== undefined)
    throw bad(`image string ${quote(spelling.text)} has a digest, which images in a Docker archive have not`);
  return origin;
}

// As skopeo and umoci cut it: the tag begins at the first colon, so that it may be a whole name with a colon in it.
function tagged(kind: TaggedOrigin['kind'], form: string, { text, rest, directory }: Spelling): TaggedOrigin {
  const colon = rest.indexOf(':');
  const name = colon === -1 ? rest : rest.slice(0, colon);
  const tag = colon === -1 ? undefined : rest.slice(colon + 1);
  if (name === '' || tag === '') throw bad(`image string ${quote(text)} is not ${form}`);
  return { kind, path: resolve(directory, name), tag };
}

function bad(problem: string, options?: ErrorOptions): ImageError {
  return new ImageError('bad-reference', problem, options);
}
