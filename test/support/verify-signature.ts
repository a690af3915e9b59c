import { readFileSync } from 'node:fs';
import { parseACIdentifier } from '../../src/appc/index.ts';
import { openKeystore, verifyDetached } from '../../src/trust/index.ts';

// A process of its own that verifies a signature, and prints by how many bytes its memory grew meanwhile:
// `verify-signature.ts CONFIG-DIRECTORY NAME FILE SIGNATURE`.

const [directory = '', name = '', file = '', signature = ''] = process.argv.slice(2);
const keystore = openKeystore({ systemDirectory: directory, localDirectory: directory });
const verify = (content: string | AsyncIterable<Uint8Array>) =>
  verifyDetached(keystore, parseACIdentifier(name), content, readFileSync(signature));
// What there is to load is loaded, and not part of the growth.
await verify((async function* () {})()).catch(() => undefined);
const before = process.resourceUsage().maxRSS;
await verify(file);
process.stdout.write(`${(process.resourceUsage().maxRSS - before) * 1024}\n`);
