import { type Cursor, fields, nonEmptyString, string } from '../appc/json.ts';
import { documentCursor, parseJsonText } from '../appc/json-document.ts';
import { authScope } from './auth-key.ts';
import type { BasicCredentials } from './entries.ts';
import { ConfigError } from './errors.ts';
import { withoutContent, withoutValue } from './secrecy.ts';

/** What a registry is shown. An identity token is exchanged for a token of the registry (OAuth 2, refresh token). */
export type ContainerCredentials = BasicCredentials | { readonly identityToken: string };

/** A credentials file of Docker (config.json) or of containers' tools (auth.json). */
export interface ContainerAuthFile {
  /** By scope: a registry, or a path of one. */
  readonly stored: ReadonlyMap<string, ContainerCredentials>;
  /** Names of credential helpers by registry. */
  readonly helpers: ReadonlyMap<string, string>;
  /** The helper for all other registries. */
  readonly store: string | undefined;
}

/** In bytes. */
export const LARGEST_AUTH_FILE = 1024 * 1024;
const LIMITS = { characters: LARGEST_AUTH_FILE, depth: 16, values: 100_000 };

/** Reads the text of the file `path`. Throws ConfigError, naming the file and the member but no value. */
export function parseContainerAuth(text: string, path: string): ContainerAuthFile {
  const refuse = (code: string, at: string, problem: string) => {
    const reason = code === 'not-json' ? withoutContent(problem) : withoutValue(problem);
    return new ConfigError('bad-file', `${path}: ${at === '' ? '' : `${at}: `}${reason}`);
  };
  const file = fields(documentCursor(parseJsonText(text, refuse, LIMITS), refuse, LIMITS));
  return {
    stored: file.optional('auths', scoped(readStored)) ?? new Map(),
    helpers: file.optional('credHelpers', scoped(helperName)) ?? new Map(),
    store: file.optional('credsStore', (at) => (at.value === '' ? undefined : helperName(at))),
  };
}

/** The members of an object by the scopes that their names stand for; of two names for one scope, the first that says something counts. */
function scoped<T>(read: (at: Cursor) => T | undefined): (at: Cursor) => ReadonlyMap<string, T> {
  return (at) => {
    const members = fields(at);
    const map = new Map<string, T>();
    for (const key of Object.keys(Object(at.value))) {
      const value = members.optional(key, read);
      const scope = authScope(key);
      if (value !== undefined && !map.has(scope)) map.set(scope, value);
    }
    return map;
  };
}

/** An entry may be empty: Docker makes one for each registry whose credentials a helper has. */
function readStored(at: Cursor): ContainerCredentials | undefined {
  const entry = fields(at);
  const text = (key: string) => entry.optional(key, string) ?? '';
  if (text('identitytoken') !== '') return { identityToken: text('identitytoken') };
  if (text('auth') !== '') return entry.required('auth', readPair);
  return text('username') === '' ? undefined : { user: text('username'), password: text('password') };
}

function readPair(at: Cursor): BasicCredentials {
  const encoded = string(at).trim();
  const [, user, password] =
    /^([^:]+):([\s\S]*)$/.exec(Buffer.from(encoded, 'base64').toString('utf8')) ?? [];
  if (user === undefined || password === undefined || !/^[A-Za-z0-9+/]+={0,2}$/.test(encoded))
    throw at.refuse('invalid-value', at.path, 'expected the base64 of USER:PASSWORD');
  return { user, password: withoutZeros(password) };
}

/** Old versions of Docker filled the password up with zero bytes. A pattern would look for their end from each of them. */
function withoutZeros(password: string): string {
  let end = password.length;
  while (password.charCodeAt(end - 1) === 0) end -= 1;
  return password.slice(0, end);
}

/** It becomes a part of a program's name, and never of its path. */
function helperName(at: Cursor): string {
  const name = nonEmptyString(at);
  if (/^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(name)) return name;
  throw at.refuse('invalid-value', at.path, 'expected the name of a credential helper');
}
