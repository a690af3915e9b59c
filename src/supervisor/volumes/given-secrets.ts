import { AbiError } from '../../abi/json.ts';
import { parseSecrets, SECRETS_ENV, type Secrets } from '../../abi/secrets.ts';
import { readToEnd } from '../../native/contents.ts';
import { environment, utf8Decode } from '../../native/engine.ts';
import { close } from '../../native/files.ts';
import { fstat } from '../../native/stat.ts';

const FIRST_OWN_FD = 3;
export const NO_SECRETS: Secrets = new Map();

let given: Secrets | undefined;

/** What stage0 has handed on, which can be read once. @throws AbiError */
export function givenSecrets(): Secrets {
  given ??= takeSecrets(secretsFds());
  return given;
}

/** The file that they are in, if there is one, for who passes it on. */
export function secretsFds(): readonly number[] {
  const fd = Number(environment(SECRETS_ENV));
  return Number.isInteger(fd) && fd >= FIRST_OWN_FD ? [fd] : [];
}

/** Out of the first of these, which are closed. @throws AbiError */
export function takeSecrets(fds: readonly number[]): Secrets {
  const [fd] = fds;
  try {
    if (fd === undefined) return NO_SECRETS;
    // Nobody waits here for a writer.
    if (fstat(fd).kind !== 'file') throw new AbiError('bad-message', 'secrets are in no file');
    const bytes = readToEnd(fd);
    return bytes === undefined ? NO_SECRETS : parseSecrets(utf8Decode(bytes));
  } finally {
    for (const each of fds) close(each);
  }
}
