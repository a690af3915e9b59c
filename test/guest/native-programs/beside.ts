import { aside } from '../../../src/native/aside.ts';
import { sleep } from '../../../src/native/clock.ts';
import { readdir } from '../../../src/native/directories.ts';
import { exit, utf8Encode } from '../../../src/native/engine.ts';
import { writeAll } from '../../../src/native/files.ts';
import { getLimit, setLimit } from '../../../src/native/limits.ts';
import { fork, getpid, reap, setUserIds, waitFor } from '../../../src/native/processes.ts';
import { diesWithItsParent } from './parent-death.ts';
import { report } from './report.ts';

/** More than a pipe takes at once. */
const LONG = 300_000;
const NOBODY = 65_534;

function openFiles(): number {
  return readdir('/proc/self/fd').length;
}

function endsWithItsParent(): boolean {
  return diesWithItsParent((pipe) => {
    aside(() => {
      writeAll(pipe, utf8Encode('begun'));
      sleep(60_000);
      return '';
    });
  });
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
