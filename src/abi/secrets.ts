/**
 * What the secrets of a pod are (volumes of kind `secret`), from stage0 to the stage1's `run`, or of an app to `app/add`: a file in memory without a name, that
 * is open in the one and in the other. An environment, or arguments, other processes of the host could read.
 */
import { AbiError, FieldReader } from './json.ts';

/** Its fd, to be read once. */
export const SECRETS_ENV = 'RKT_SECRETS';

/** By keys of volumes; base64. */
export type Secrets = ReadonlyMap<string, string>;

/** Base64 has four characters for three bytes. */
const CONTENT_MAX = 8 * 1024 * 1024;
const SECRETS_MAX = 4096;

export function formatSecrets(secrets: Secrets): string {
  return JSON.stringify({ secrets: [...secrets].map(([key, content]) => ({ key, content })) });
}

/** Inverse of `formatSecrets`. @throws AbiError, which has nothing of what it was given */
export function parseSecrets(text: string): Secrets {
  try {
    const all = new FieldReader(JSON.parse(text), 'secrets');
    return new Map(
      all.list('secrets', SECRETS_MAX, (value, where): [string, string] => {
        const secret = new FieldReader(value, where);
        return [secret.string('key'), secret.string('content', CONTENT_MAX)];
      }),
    );
  } catch {
    throw new AbiError('bad-message', 'secrets cannot be read');
  }
}
