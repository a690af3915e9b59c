import { aside } from '../../../src/native/aside.ts';
import { sleep } from '../../../src/native/clock.ts';
import { readdir } from '../../../src/native/directories.ts';
import { exit, utf8Encode } from '../../../src/native/engine.ts';
import { close, read, writeAll } from '../../../src/native/files.ts';
import { getLimit, setLimit } from '../../../src/native/limits.ts';
import { openPipe } from '../../../src/native/pipes.ts';
import { fork, getpid, kill, reap, setUserIds, waitFor } from '../../../src/native/processes.ts';
import { report } from './report.ts';

/** More than a pipe takes at once. */
const LONG = 300_000;
const NOBODY = 65_534;

function openFiles(): number {
  return readdir('/proc/self/fd').length;
}

/** Whoever does something beside a process is gone when that is. */
function endsWithItsParent(): boolean {
  const pipe = openPipe();
  const middle = fork();
  if (middle === 0) {
    aside(() => {
      writeAll(pipe.write, utf8Encode('begun'));
      sleep(60_000);
      return '';
    });
    sleep(60_000);
    exit(1);
  }
  close(pipe.write);
  const text = new Uint8Array(100);
  const begun = read(pipe.read, text) > 0;
  kill(middle, 'SIGKILL');
  waitFor(middle);
  // The end of the file comes when nobody has it open any more.
  const gone = read(pipe.read, text) === 0;
  close(pipe.read);
  return begun && gone;
}

/** Where no process can be made. */
function withoutProcesses(): unknown {
  const own = fork();
  if (own !== 0) return waitFor(own).exit;
  const { hard } = getLimit('nproc');
  setLimit('nproc', { soft: 0, hard });
  // Root is not bounded.
  setUserIds(NOBODY);
  const outcome = aside(() => 'done');
  exit(outcome() === undefined ? 0 : 1);
  throw new Error('exit returned');
}

const before = openFiles();
let here = 'untouched';
const first = aside(() => {
  here = 'touched';
  return String(getpid());
});
const second = aside(() => 'ü'.repeat(LONG));
const failed = aside(() => {
  throw new Error('it cannot be done');
});
const outcomes = {
  first: first() !== String(getpid()),
  second: second()?.length,
  failed: failed() ?? 'failed',
};
report({
  ...outcomes,
  here,
  zombies: reap() ?? 'none',
  left: openFiles() - before,
  endsWithItsParent: endsWithItsParent(),
  withoutProcesses: withoutProcesses(),
});
