import type { IdRange } from '../abi/id-range.ts';
import { PRIVATE_USERS_COUNT } from '../abi/private-users.ts';
import { LEAST_SCRATCH_BYTES, MOST_SCRATCH_BYTES, ROOT_KINDS } from '../abi/root-disks.ts';
import { MOST_SPARE_SECONDS, MOST_SPARES } from '../abi/spares.ts';
import { boolean, type Cursor, fields, integer, nonEmptyString, oneOf } from '../appc/json.ts';
import { documentCursor, parseJsonText } from '../appc/json-document.ts';
import { withoutUndefined } from '../appc/json-value.ts';
import { type Credentials, type Entry, type Kind, TEMPLATE_SCOPES } from './entries.ts';
import { ConfigError } from './errors.ts';
import { absolutePath, nonEmptyListOf } from './readers.ts';
import { canonicalRegistry, readRegistry } from './registry.ts';
import { withoutContent, withoutValue } from './secrecy.ts';

/** In bytes. */
export const LARGEST_FILE = 1024 * 1024;
const LIMITS = { characters: LARGEST_FILE, depth: 16, values: 100_000 };
const KINDS = [
  'auth',
  'dockerAuth',
  'containerAuth',
  'paths',
  'stage1',
  'vm',
  'privateUsers',
  'registry',
  'template',
] as const satisfies readonly Kind[];
const VERSION = 'v1';
/** The largest uid is reserved: it means "no change" to chown. */
const ID_MAX = 0xffff_fffe;

/** Reads the text of the file `path`. Throws ConfigError, naming the file and the field. */
export function parseEntry(text: string, path: string): Entry {
  const refuse = (code: string, at: string, problem: string, cause?: unknown) => {
    const place = `${path}: ${at === '' ? '' : `${at}: `}`;
    // Neither a message nor its cause may show what a file of credentials has in it.
    if (code === 'not-json') return new ConfigError('bad-file', `${place}${withoutContent(problem)}`);
    const reason = at.startsWith('credentials') ? withoutValue(problem) : problem;
    return new ConfigError('bad-file', `${place}${reason}`, { cause });
  };
  const at = documentCursor(parseJsonText(text, refuse, LIMITS), refuse, LIMITS);
  const header = fields(at);
  const kind = header.required('rktKind', oneOf(...KINDS));
  header.required('rktVersion', oneOf(VERSION));
  return readers[kind](at);
}

const readers: Readonly<Record<Kind, (at: Cursor) => Entry>> = {
  auth: (at) => {
    const auth = fields(at);
    const domains = auth.required('domains', nonEmptyListOf(nonEmptyString));
    const type = auth.required('type', oneOf('basic', 'oauth', 'aws'));
    return { kind: 'auth', domains, credentials: auth.required('credentials', credentialReaders[type]) };
  },
  dockerAuth: (at) => {
    const auth = fields(at);
    const registries = auth.required('registries', nonEmptyListOf(nonEmptyString)).map(canonicalRegistry);
    return { kind: 'dockerAuth', registries, credentials: auth.required('credentials', readBasic) };
  },
  containerAuth: (at) => ({ kind: 'containerAuth', files: fields(at).list('files', absolutePath) }),
  paths: (at) => {
    const paths = fields(at);
    const data = paths.optional('data', readDirectory);
    return withoutUndefined({
      kind: 'paths' as const,
      data,
      stage1Images: paths.optional('stage1-images', readDirectory),
    });
  },
  stage1: readStage1,
  vm: readMachine,
  privateUsers: (at) => ({
    kind: 'privateUsers',
    ids: fields(at).required('ids', idRange(PRIVATE_USERS_COUNT)),
  }),
  template: readTemplates,
  registry: (at) => ({ kind: 'registry', ...readRegistry(at) }),
};

function readMachine(at: Cursor): Entry {
  const machine = fields(at);
  const ids = machine.optional('ids', idRange(1));
  const rootfs = machine.optional('rootfs', oneOf(...ROOT_KINDS));
  const scratchBytes = machine.optional('scratchSize', integer(LEAST_SCRATCH_BYTES, MOST_SCRATCH_BYTES));
  const verity = machine.optional('verity', boolean);
  if ([ids, rootfs, scratchBytes, verity].every((value) => value === undefined))
    throw at.refuse('invalid-value', at.path, 'one of ids, rootfs, scratchSize and verity is needed');
  return withoutUndefined({ kind: 'vm' as const, ids, rootfs, scratchBytes, verity });
}

function readTemplates(at: Cursor): Entry {
  const template = fields(at);
  const scope = template.required('scope', oneOf(...TEMPLATE_SCOPES));
  const tenant = template.optional('tenant', readTenant);
  const spares = template.optional('spares', integer(0, MOST_SPARES));
  const spareSeconds = template.optional('spareSeconds', integer(1, MOST_SPARE_SECONDS));
  const refuse = (what: string) => at.refuse('invalid-value', at.path, `scope ${scope} has no ${what}`);
  if (tenant !== undefined && scope !== 'tenant') throw refuse('tenant');
  if (spares !== undefined && spares > 0 && scope === 'off') throw refuse('spares');
  return withoutUndefined({ kind: 'template' as const, scope, tenant, spares, spareSeconds });
}

/** Ids of which there must be `least`. */
function idRange(least: number) {
  return (at: Cursor): IdRange => {
    const range = fields(at);
    const first = range.required('first', integer(1, ID_MAX - least + 1));
    return { first, count: range.required('count', integer(least, ID_MAX - first + 1)) };
  };
}

const credentialReaders: Readonly<Record<Credentials['type'], (at: Cursor) => Credentials>> = {
  basic: (at) => ({ type: 'basic', ...readBasic(at) }),
  oauth: (at) => ({ type: 'oauth', token: fields(at).required('token', nonEmptyString) }),
  aws: (at) => {
    const aws = fields(at);
    return withoutUndefined({
      type: 'aws' as const,
      accessKeyId: aws.required('accessKeyID', nonEmptyString),
      secretAccessKey: aws.required('secretAccessKey', nonEmptyString),
      region: aws.optional('awsRegion', nonEmptyString),
    });
  },
};

/** It becomes a part of a directory's name, where no number is anybody's but a user's. */
function readTenant(at: Cursor): string {
  const tenant = nonEmptyString(at);
  if (/^[a-z][a-z0-9-]{0,62}$/.test(tenant)) return tenant;
  const noun = 'a tenant of at most 63 small letters, digits and hyphens, a letter first';
  throw at.refuse('invalid-value', at.path, `expected ${noun}, got ${JSON.stringify(tenant)}`);
}

function readBasic(at: Cursor): { user: string; password: string } {
  const basic = fields(at);
  return {
    user: basic.required('user', nonEmptyString),
    password: basic.required('password', nonEmptyString),
  };
}

function readStage1(at: Cursor): Entry {
  const stage1 = fields(at);
  const name = stage1.optional('name', nonEmptyString);
  const version = stage1.optional('version', nonEmptyString);
  if ((name === undefined) !== (version === undefined))
    throw at.refuse('invalid-value', at.path, 'name and version are given both or neither');
  const location = stage1.optional('location', readLocation);
  return withoutUndefined({ kind: 'stage1' as const, name, version, location });
}

function readLocation(at: Cursor): string {
  const location = nonEmptyString(at);
  if (location.startsWith('/') || /^(file|http|https|docker):\/\/./.test(location)) return location;
  const noun = 'an absolute path or a URL of file, http, https or docker';
  throw at.refuse('invalid-value', at.path, `expected ${noun}, got ${JSON.stringify(location)}`);
}

/** As in rkt, an empty path says nothing. */
function readDirectory(at: Cursor): string | undefined {
  return at.value === '' ? undefined : absolutePath(at);
}
