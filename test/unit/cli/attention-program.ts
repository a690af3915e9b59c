/** A command that downloads two layers and then waits to be interrupted; or, as its argument says, asks something or has its image. */
import { setTimeout as delay } from 'node:timers/promises';
import { withAttention } from '../../../src/cli/attention.ts';
import { exitCodeFor } from '../../../src/cli/exit-code.ts';
import { complain } from '../../../src/cli/output.ts';

const MIB = 1024 * 1024;
const layers = ['sha256:1111111111111111', 'sha256:2222222222222222'];

try {
  await withAttention(false, async ({ report, signal }, progress) => {
    for (const layer of layers) report({ kind: 'layer-download', layer, read: MIB, total: 4 * MIB });
    report({ kind: 'retry', what: 'example.com', reason: 'bad HTTP status code: 503', milliseconds: 1000 });
    await delay(300);
    for (const layer of layers) report({ kind: 'layer-download', layer, read: 2 * MIB, total: 4 * MIB });
    if (process.argv[2] === 'ask') {
      progress.clear();
      process.stderr.write('Trust it? ');
      await delay(500);
      process.stderr.write('no\n');
    }
    if (process.argv[2] !== 'import') await delay(30_000, undefined, signal === undefined ? {} : { signal });
    report({ kind: 'image-imported', source: 'x', id: 'y', milliseconds: 1 });
    // Whoever becomes a pod's supervisor does so here.
    process.stdout.write('imported\n');
    process.kill(process.pid, 'SIGKILL');
  });
} catch (error) {
  complain('fetch', error, false);
  process.exitCode = exitCodeFor(error);
}
