/** What the service signs with: the same as long as the host is up, whoever starts the service anew. */
import { METADATA_KEY } from '../src/abi/metadata.ts';
import { readFile } from '../src/native/contents.ts';
import { unless } from '../src/native/errors.ts';
import { File, open_, writeAll } from '../src/native/files.ts';
import { mkdirAll, rename } from '../src/native/paths.ts';
import { randomBytes } from '../src/native/system.ts';
import { KEY_BYTES } from './signing.ts';

const OWNER_ONLY = 0o600;
const DIRECTORY_MODE = 0o755;

export function readKey(): Uint8Array {
  const kept = unless(['ENOENT'], () => readFile(METADATA_KEY, KEY_BYTES));
  if (kept?.length === KEY_BYTES) return kept;
  const key = randomBytes(KEY_BYTES);
  writeKey(key);
  return key;
}

/** Whole or not at all. */
function writeKey(key: Uint8Array): void {
  mkdirAll(METADATA_KEY.replace(/\/[^/]*$/, ''), DIRECTORY_MODE);
  const temporary = `${METADATA_KEY}.tmp`;
  {
    using file = File.open(temporary, open_.writeOnly | open_.create | open_.truncate, OWNER_ONLY);
    writeAll(file.fd, key);
  }
  rename(temporary, METADATA_KEY);
}
