import { parseSecrets, SECRETS_ENV, type Secrets } from '../../abi/secrets.ts';
import { readToEnd } from '../../native/contents.ts';
import { environment, utf8Decode } from '../../native/engine.ts';
import { close } from '../../native/files.ts';

const FIRST_OWN_FD = 3;

let given: Secrets | undefined;

/** What stage0 has handed on, which can be read once. @throws AbiError */
export function givenSecrets(): Secrets {
  given ??= readSecrets();
  return given;
}

function readSecrets(): Secrets {
  const fd = Number(environment(SECRETS_ENV));
  if (!Number.isInteger(fd) || fd < FIRST_OWN_FD) return new Map();
  const bytes = readToEnd(fd);
  close(fd);
  return bytes === undefined ? new Map() : parseSecrets(utf8Decode(bytes));
}
