/** Runs commands on the image's files: the milliseconds of each, a line each, on stdout. */
import { monotonicMilliseconds } from '../../src/native/clock.ts';
import { utf8Encode } from '../../src/native/engine.ts';
import { duplicate, open, open_, writeAll } from '../../src/native/files.ts';
import { execve, fork, waitFor } from '../../src/native/processes.ts';

const STDOUT = 1;
const BUSYBOX = '/bin/busybox';
const FIND = [BUSYBOX, 'find', '/', '-xdev'];
const READ = [BUSYBOX, 'find', '/files/tree', '-type', 'f', '-exec', BUSYBOX, 'cat', '{}', '+'];
const ADD = 'i=0; while [ $i -lt 100000 ]; do i=$((i + 1)); done';
const LOOP = [BUSYBOX, 'sh', '-c', ADD];

/** What it prints, nobody reads. */
function run(argv: readonly string[]): void {
  const pid = fork();
  if (pid === 0) {
    duplicate(open('/dev/null', open_.writeOnly), STDOUT, false);
    execve(BUSYBOX, argv, []);
  }
  const { exit } = waitFor(pid);
  if (exit.kind !== 'exited' || exit.code !== 0) throw new Error(`${argv.join(' ')} failed`);
}

for (const argv of [FIND, FIND, READ, READ, LOOP]) {
  const start = monotonicMilliseconds();
  run(argv);
  writeAll(STDOUT, utf8Encode(`${(monotonicMilliseconds() - start).toFixed(1)}\n`));
}
