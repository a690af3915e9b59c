import { pathToFileURL } from 'node:url';
import { AppcError, imageNameOf, type Label, parseACIdentifier } from '../appc/index.ts';
import { quote } from '../appc/json.ts';
import { ImageError } from './error.ts';
import { parseAciUrl, parseFileUrl } from './location.ts';
import type { ImageOrigin, TaggedOrigin } from './origin.ts';
import { queryEscape, queryUnescape } from './percent.ts';
import { formatRegistryReference, parseRegistryReference } from './registry/reference.ts';

type Query = readonly (readonly [name: string, value: string])[];

/** rkt planned that of layouts. The archives have the same form. */
const TYPES: Readonly<Record<TaggedOrigin['kind'], string>> = {
  'oci-layout': 'oci-image-layout',
  'oci-archive': 'oci-archive',
  'docker-archive': 'docker-archive',
};

/** The distribution URI of an origin, as rkt writes them: `cimd:TYPE:v=0:DATA`. Origins that are equal have equal ones. */
export function formatCimd(origin: ImageOrigin): string {
  switch (origin.kind) {
    case 'appc-name': {
      const labels = origin.labels.map(({ name, value }) => [name, value] as const);
      return `cimd:appc:v=0:${origin.name}${formatQuery(labels)}`;
    }
    case 'aci-url':
      return `cimd:aci-archive:v=0:${queryEscape(origin.url)}`;
    case 'aci-file':
      return `cimd:aci-archive:v=0:${escapePath(origin.path)}`;
    case 'docker':
      return `cimd:docker:v=0:${formatRegistryReference(origin.reference)}`;
    case 'oci-layout':
    case 'oci-archive':
      return formatTagged(origin, origin.tag);
    case 'docker-archive': {
      // As in a registry: a repository has one name, and a tag.
      const { tag } = origin;
      return formatTagged(
        origin,
        tag === undefined ? tag : formatRegistryReference(parseRegistryReference(tag)),
      );
    }
    default:
      return origin satisfies never;
  }
}

/** Inverts `formatCimd`, and takes other spellings too: labels in any order, names of images that leave things unsaid. @throws ImageError bad-reference, unsupported */
export function parseCimd(text: string): ImageOrigin {
  const [, type = '', version, data = ''] = /^cimd:([^:]*):v=([0-9]+):(.*)$/s.exec(text) ?? [];
  if (version === undefined) throw bad(`${quote(text)} is not of the form cimd:TYPE:v=0:DATA`);
  if (Number(version) !== 0) throw unknown(`version ${version}`);
  switch (type) {
    case 'appc':
      return parseAppc(data);
    case 'aci-archive':
      return parseArchive(data);
    case 'docker':
      return { kind: 'docker', reference: parseRegistryReference(data) };
    case TYPES['oci-layout']:
      return parseTagged('oci-layout', data);
    case TYPES['oci-archive']:
      return parseTagged('oci-archive', data);
    case TYPES['docker-archive']:
      return parseTagged('docker-archive', data);
    default:
      throw unknown(`the type ${quote(type)}`);
  }
}

function formatTagged({ kind, path }: TaggedOrigin, tag: string | undefined): string {
  const ref = tag === undefined ? [] : [['ref', tag] as const];
  return `cimd:${TYPES[kind]}:v=0:${escapePath(path)}${formatQuery(ref)}`;
}

function parseAppc(data: string): ImageOrigin {
  const { first, query } = cut(data);
  try {
    const labels = query.map(([name, value]): Label => ({ name: parseACIdentifier(name), value }));
    return { kind: 'appc-name', ...imageNameOf(parseACIdentifier(first), labels) };
  } catch (cause) {
    throw cause instanceof AppcError ? bad(cause.message, { cause }) : cause;
  }
}

function parseArchive(data: string): ImageOrigin {
  const { first, query } = cut(data);
  // rkt left it out, and so fetched something else than was asked for.
  if (query.length > 0) throw bad('cimd URI has a question mark that is not escaped');
  return first.startsWith('file:')
    ? { kind: 'aci-file', path: parseFileUrl(first) }
    : { kind: 'aci-url', url: parseAciUrl(first) };
}

function parseTagged(kind: TaggedOrigin['kind'], data: string): ImageOrigin {
  const { first, query } = cut(data);
  const [[name, tag] = ['ref', undefined], ...more] = query;
  if (name !== 'ref' || tag === '' || more.length > 0)
    throw bad(`cimd URI has another query than ref=TAG: ${quote(Object.fromEntries(query))}`);
  return { kind, path: parseFileUrl(first), tag };
}

/** What stands before the first question mark and behind it, unescaped. */
function cut(data: string): { readonly first: string; readonly query: Query } {
  const [first = '', ...rest] = data.split('?');
  const pairs = rest.join('?').split('&');
  const query = pairs
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', ...value] = pair.split('=');
      return [unescaped(name), unescaped(value.join('='))] as const;
    });
  return { first: unescaped(first), query };
}

function formatQuery(query: Query): string {
  if (query.length === 0) return '';
  return `?${query.map(([name, value]) => `${queryEscape(name)}=${queryEscape(value)}`).join('&')}`;
}

function escapePath(path: string): string {
  return queryEscape(pathToFileURL(path).href);
}

function unescaped(text: string): string {
  const plain = queryUnescape(text);
  if (plain === undefined) throw bad(`cimd URI has ${quote(text)}, which is not escaped as in a query`);
  return plain;
}

function bad(problem: string, options?: ErrorOptions): ImageError {
  return new ImageError('bad-reference', problem, options);
}

function unknown(what: string): ImageError {
  return new ImageError('unsupported', `cimd URI is of ${what}, which is not known`);
}
