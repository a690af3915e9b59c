import { sleep } from '../../../src/native/clock.ts';
import { hasCode } from '../../../src/native/errors.ts';
import { open, open_ } from '../../../src/native/files.ts';
import { kill } from '../../../src/native/processes.ts';
import { HostSide } from '../../../src/supervisor/network/host-side.ts';
import { type ProgramEnd, runOnHost } from '../../../src/supervisor/network/program-run.ts';
import { report } from './report.ts';

// How programs on the host's side are run: to their end, and no longer than they may.
const host = HostSide.own();
const lock = open('/dev/null', open_.readOnly);
const run = (script: string, limit: number, most = 100): ProgramEnd =>
  runOnHost(host, {
    path: '/bin/sh',
    args: ['-c', script],
    environment: ['PATH=/usr/bin:/bin'],
    input: 'what it reads\n',
    most,
    limit,
    lock,
  });

/** The kernel, and whoever reaps it, may take a moment. */
function goes(pid: number): boolean {
  for (let attempt = 0; attempt < 500 && !isGone(pid); attempt++) sleep(10);
  return isGone(pid);
}

function isGone(pid: number): boolean {
  try {
    kill(pid, 0);
    return false;
  } catch (error) {
    return hasCode(error, 'ESRCH');
  }
}

const LONG = 60_000;
const late = run('sleep 600 & echo $!; echo waits >&2; sleep 600', 5000);
const left = run('sleep 600 & echo $!', LONG);
const leftPid = Number(left.output);
const hasLeft = !isGone(leftPid);
kill(leftPid, 'SIGKILL');
report({
  whole: run('cat; pwd; readlink /proc/self/fd/3; echo words >&2; exit 3', LONG),
  late: { ...late, output: 'a process', isEnded: goes(Number(late.output)) },
  left: { exit: left.exit, hasLeft },
  cut: run('head -c 200000 /dev/zero | tr "\\0" x', LONG, 3),
  killed: run('kill -9 $$', LONG).exit,
});
