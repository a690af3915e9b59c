// Runs commands of the bundle, as bin/rkt does, and stores the code that V8 compiled on the way: what a fetch and a run need
// is not compiled anew each time. None of them changes anything but a directory of its own.
// usage: node tools/code-cache.mjs BUNDLE
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import v8 from 'node:v8';
import { Script } from 'node:vm';

const [, , bundle] = process.argv;
const script = new Script(readFileSync(bundle, 'latin1'), { filename: bundle });
const scratch = mkdtempSync(join(tmpdir(), 'rkt-code-cache-'));
// A registry that has nothing: what is asked of it is asked of any.
const registry = createServer((_, response) => response.writeHead(404).end());
await new Promise((resolve) => registry.listen(0, '127.0.0.1', resolve));

const where = ['dir', 'system-config', 'local-config'].map((name) => `--${name}=${join(scratch, name)}`);
const lenient = '--insecure-options=image,http';
const commands = [
  ['version'],
  [...where, 'image', 'list'],
  [...where, lenient, 'fetch', `docker://127.0.0.1:${registry.address().port}/absent`],
  [...where, lenient, 'run', '--net=none', join(scratch, 'absent.aci')],
];
// A command that sets a flag of V8's while it runs would leave its mark in the cache, which V8 then refuses to all others.
v8.setFlagsFromString = () => {};
try {
  for (const stream of [process.stdout, process.stderr]) stream.write = () => true;
  for (const args of commands) await run(args);
  const cachedData = script.createCachedData();
  const { cachedDataRejected } = new Script(readFileSync(bundle, 'latin1'), { filename: bundle, cachedData });
  if (cachedDataRejected) throw new Error(`${bundle}: V8 refuses the code cache that it has just made`);
  writeFileSync(`${bundle}.cache.tmp`, cachedData);
  renameSync(`${bundle}.cache.tmp`, `${bundle}.cache`);
} finally {
  registry.close();
  rmSync(scratch, { recursive: true });
}
// Those that found nothing have failed, as they should.
process.exit(0);

async function run(args) {
  process.argv = [process.argv[0], 'rkt', ...args];
  process.exitCode = undefined;
  script.runInThisContext()(createRequire(bundle), bundle);
  // The command says when it has ended by its exit code.
  while (process.exitCode === undefined) await delay(1);
}
