import { sleep } from '../../../src/native/clock.ts';
import { readText } from '../../../src/native/contents.ts';
import { utf8Encode } from '../../../src/native/engine.ts';
import { close, open, open_, writeAll } from '../../../src/native/files.ts';
import { openPipe } from '../../../src/native/pipes.ts';
import {
  fork,
  getpid,
  kill,
  openProcess,
  reap,
  setProcessGroup,
  waitFor,
} from '../../../src/native/processes.ts';
import { maskSignals, setDisposition } from '../../../src/native/signals.ts';
import { spawn } from '../../../src/native/spawn.ts';
import type { Step } from '../../../src/native/spawn-steps.ts';
import { diesWithItsParent } from './parent-death.ts';
import { codeOf, refusal, report, run } from './report.ts';

const sh = '/bin/sh';
const script = (text: string, steps: readonly Step[] = []) => run(sh, ['-c', text], { steps });
const plan = { path: sh, argv: [sh, '-c', 'true'], env: [], fds: [0, 1, 2] };

/** Only the lines that matter of a process's status. */
const statusOf = (steps: readonly Step[]) =>
  script(
    'exec grep -E "^(Uid|Gid|Groups|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp|SigBlk|SigIgn):" /proc/self/status',
    steps,
  )
    .output.trim()
    .split('\n')
    .map((line) => line.replace(/\s+/g, ' ').trim());

/** seccomp: uname fails with EPERM, all else is allowed. */
const noUname = new Uint8Array([
  ...[0x20, 0, 0, 0, 0, 0, 0, 0],
  ...[0x15, 0, 0, 1, 63, 0, 0, 0],
  ...[0x06, 0, 0, 0, 1, 0, 5, 0],
  ...[0x06, 0, 0, 0, 0, 0, 0xff, 0x7f],
]);

const dropped: Step[] = [
  { do: 'bounding-set', capabilities: ['CAP_NET_RAW', 'CAP_KILL'] },
  { do: 'keep-capabilities' },
  { do: 'groups', gids: [100, 200] },
  { do: 'gid', gid: 1000 },
  { do: 'uid', uid: 1000 },
  {
    do: 'capabilities',
    sets: { effective: ['CAP_KILL'], permitted: ['CAP_KILL'], inheritable: ['CAP_KILL'] },
  },
  { do: 'ambient', capabilities: ['CAP_KILL'] },
  { do: 'no-new-privileges' },
];

/** Grandchild that asked to die with its parent. */
function deathOfParent(): boolean {
  return diesWithItsParent((pipe) => {
    const steps: Step[] = [
      { do: 'uid', uid: 1000 },
      { do: 'parent-death-signal', signal: 'SIGKILL' },
    ];
    spawn({ path: '/bin/sleep', argv: ['sleep', '60'], env: [], fds: [0, 1, 2, pipe], steps });
    writeAll(pipe, utf8Encode('started'));
  });
}

/** The parent dies before the child has asked for a signal; the child, in a pid namespace, sees no parent in any case. */
function deathDuringStart(): boolean {
  return diesWithItsParent((pipe) => {
    const orphaned: Step = {
      do: 'call',
      name: 'orphaned',
      action: () => {
        writeAll(pipe, utf8Encode('starting'));
        sleep(500);
      },
    };
    spawn({
      path: '/bin/sleep',
      argv: ['sleep', '60'],
      env: [],
      fds: [0, 1, 2, pipe],
      namespaces: ['pid'],
      steps: [orphaned, { do: 'parent-death-signal', signal: 'SIGKILL' }],
    });
  });
}

/** The child sees its fds where the plan puts them, even when they trade places, and no others. */
function placedFds(): string {
  const [a, b] = [openPipe(), openPipe()];
  writeAll(a.write, utf8Encode('a\n'));
  writeAll(b.write, utf8Encode('b\n'));
  const out = openPipe();
  const low = Math.min(a.read, b.read);
  const fds = [b.read, out.write, out.write, a.read, b.read, 0];
  const list = 'read x; read y <&3; echo $x $y; cd /proc/self/fd; echo *';
  const pid = spawn({ path: sh, argv: [sh, '-c', list], env: [], fds, steps: [{ do: 'umask', mask: 0o22 }] });
  waitFor(pid);
  close(out.write);
  return `${low > 2} ${readText(`/proc/self/fd/${out.read}`).trim().replaceAll('\n', ' ')}`;
}

function waits(): unknown {
  const pid = spawn({ ...plan, argv: [sh, '-c', 'kill -TERM $$'] });
  const early = reap(99_999_999);
  const killed = waitFor(pid).exit;
  const group = fork();
  if (group === 0) {
    setProcessGroup(0, 0);
    sleep(60_000);
  }
  close(openProcess(group));
  kill(group, 'SIGKILL');
  return [killed, early ?? 'none', codeOf(waitFor(group).exit), reap() ?? 'none'];
}

/** What this process ignores and blocks is not handed on. */
function cleanSignals(): string[] {
  setDisposition('SIGINT', 'ignore');
  maskSignals('block', ['SIGTERM']);
  const lines = statusOf([]).filter((line) => line.startsWith('Sig'));
  maskSignals('set', []);
  return lines;
}

report({
  pid: getpid() > 1,
  code: script('exit 7').code,
  output: script('echo out; echo err >&2').output,
  environment: run('/usr/bin/env', [], { env: ['A=1', 'B=grüße'] }).output,
  directory: script('pwd', [{ do: 'directory', path: '/usr' }]).output,
  limits: script('ulimit -Sn; ulimit -Hn', [
    { do: 'limit', resource: 'nofile', limit: { soft: 64, hard: 128 } },
  ]).output,
  chroot: refusal(() => script('true', [{ do: 'chroot', path: '/proc' }])),
  written: script('cat /proc/self/oom_score_adj', [
    { do: 'write', path: '/proc/self/oom_score_adj', text: '500' },
  ]).output,
  session: script('cut -d" " -f 1,5,6 /proc/self/stat | tr " " "\\n" | sort -u | wc -l', [{ do: 'session' }])
    .code,
  dropped: statusOf(dropped),
  seccomp: script('uname 2>&1 || echo refused', [{ do: 'seccomp', program: noUname }])
    .output.trim()
    .split('\n')
    .at(-1),
  missing: refusal(() => spawn({ ...plan, path: '/no/such/program' })),
  notExecutable: refusal(() => spawn({ ...plan, path: '/etc/passwd' })),
  wrongFd: refusal(() => spawn({ ...plan, fds: [0, 1, 999] })),
  wrongDirectory: refusal(() => spawn({ ...plan, steps: [{ do: 'directory', path: '/no/such' }] })),
  wrongCall: refusal(() => {
    const step: Step = { do: 'call', name: 'mount the root', action: () => open('/none', open_.readOnly) };
    spawn({ ...plan, steps: [step] });
  }),
  nul: refusal(() => spawn({ ...plan, argv: ['a\0b'] })),
  zombies: reap() ?? 'none',
  deathOfParent: deathOfParent(),
  deathDuringStart: deathDuringStart(),
  placedFds: placedFds(),
  waits: waits(),
  cleanSignals: cleanSignals(),
});
