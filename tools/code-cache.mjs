// Runs the bundle once, as bin/rkt does, and stores the code that V8 compiled on the way.
// usage: node tools/code-cache.mjs BUNDLE ARGUMENT...
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Script } from 'node:vm';

const [, , bundle, ...args] = process.argv;
const script = new Script(readFileSync(bundle, 'latin1'), { filename: bundle });
process.on('exit', () => {
  writeFileSync(`${bundle}.cache.tmp`, script.createCachedData());
  renameSync(`${bundle}.cache.tmp`, `${bundle}.cache`);
});
process.argv = [process.argv[0], 'rkt', ...args];
script.runInThisContext()(createRequire(bundle), bundle);
