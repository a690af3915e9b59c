import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { FLY } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { liveLeftovers } from '../support/leaks.ts';
import { eventually } from '../support/polling.ts';
import { useRkt } from '../support/rkt.ts';
import { endPod, type RunningPod, startPod } from '../support/running-pod.ts';
import { CTRL_C, TerminalCommand } from '../support/terminal.ts';

const rkt = useRkt();
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
});

const STAGE1 = `--stage1-path=${FLY.image}`;
const LOOP = 'echo ready; while :; do sleep 0.1; done';
const app = (text: string, ...flags: string[]) => [
  image,
  '--name=app',
  ...flags,
  '--exec=/bin/sh',
  '--',
  '-c',
  text,
];

async function start(text: string, ...flags: string[]): Promise<RunningPod> {
  const pod = await startPod(rkt, [STAGE1, ...app(text, ...flags)]);
  await eventually('the app is up', () => pod.command.stdout.includes('ready'));
  return pod;
}

const statusOf = (uuid: string) => rkt.output(['status', uuid]);

describe('signals to the supervisor', () => {
  test('are the app’s, whatever they are, and it does with them what it wants', async () => {
    const traps = ['HUP', 'INT', 'QUIT', 'TERM', 'USR1', 'USR2', 'WINCH', '40'];
    const { command, uuid } = await start(
      `${traps.map((name) => `trap 'echo got ${name}' ${name}`).join('; ')}; trap 'exit 5' ALRM; ${LOOP}`,
    );
    for (const name of traps) {
      process.kill(command.pid, name === '40' ? 40 : (`SIG${name}` as NodeJS.Signals));
      await eventually(`the app has ${name}`, () => command.stdout.includes(`got ${name}\n`));
    }
    process.kill(command.pid, 'SIGALRM');
    expect(await command.finished).toMatchObject({ code: 5, stderr: expect.not.stringContaining('Error') });
    expect(command.stdout).toBe(`ready\n${traps.map((name) => `got ${name}\n`).join('')}`);
    expect(await statusOf(uuid)).toMatch(/^app-app=5$/m);
  });

  test('end the app if it says nothing else, and its pod as a shell would see it', async () => {
    const pod = await start(`exec sh -c '${LOOP}'`);
    pod.command.signal('SIGTERM');
    expect((await pod.command.finished).code).toBe(143);
  });

  test('that come to a whole process group reach the app once', async () => {
    const { command } = await start(`trap 'echo got INT' INT; trap 'exit 0' TERM; ${LOOP}`);
    process.kill(-command.pid, 'SIGINT');
    await eventually('the app has it', () => command.stdout.includes('got INT'));
    process.kill(-command.pid, 'SIGTERM');
    expect((await command.finished).stdout).toBe('ready\ngot INT\n');
  });
});

describe('the end of the app', () => {
  test('is the end of all that it has started', async () => {
    const { command, uuid } = await start(
      'setsid sh -c "trap \'\' TERM HUP; while :; do sleep 0.1; done" & echo ready; sleep 0.3; exit 3',
    );
    expect((await command.finished).code).toBe(3);
    expect(liveLeftovers(rkt.scope, rkt.dir)).toEqual([]);
    // Nothing is left for gc, which is told so by this.
    expect(existsSync(join(rkt.dir, 'pods/run', uuid, 'cgroups'))).toBe(false);
  });

  test('follows that of its supervisor; what else it has started, gc ends', async () => {
    const { command, uuid } = await start(
      `setsid sh -c "while :; do sleep 0.1; done" > /dev/null 2>&1 & ${LOOP}`,
    );
    const main = Number(/^pid=(\d+)$/m.exec(await statusOf(uuid))?.[1]);
    expect(main).toBe(command.pid);
    command.signal('SIGKILL');
    await command.finished;
    await eventually('the pod has ended', async () =>
      (await rkt.list()).some(({ name, state }) => name === uuid && state === 'exited'),
    );
    await rkt.output(['gc', '--grace-period=0s']);
    await eventually('nothing runs', () => liveLeftovers(rkt.scope, rkt.dir).length === 0);
  });

  test('is that of a pod of --rm', async () => {
    const { code, stdout } = await rkt.run([
      'run',
      '--net=host',
      '--rm',
      STAGE1,
      ...app('echo ready; exit 6'),
    ]);
    expect({ code, stdout }).toEqual({ code: 6, stdout: 'ready\n' });
    expect((await rkt.list()).filter(({ state }) => state === 'running')).toEqual([]);
  });
});

describe('stop', () => {
  test('asks the app, which may end in order', async () => {
    const { command, uuid } = await start(`trap 'echo stopping; exit 4' TERM; ${LOOP}`);
    expect(await rkt.output(['stop', uuid])).toBe(`"${uuid}"\n`);
    expect(await command.finished).toMatchObject({ code: 4, stdout: 'ready\nstopping\n' });
  });

  test('kills one that takes no notice when its time is over, and with --force at once', async () => {
    const deaf = `trap '' TERM; ${LOOP}`;
    const [patient, forced] = await Promise.all([start(deaf), start(deaf)]);
    await rkt.output(['stop', '--force', forced.uuid]);
    expect((await forced.command.finished).code).toBe(137);
    await rkt.output(['stop', patient.uuid]);
    expect((await patient.command.finished).code).toBe(137);
    expect(await statusOf(patient.uuid)).toMatch(/^app-app=137$/m);
  });
});

describe('enter', () => {
  test('a program is the app’s own in root, mounts, user, environment and directory', async () => {
    const pod = await start(`echo mine > /tmp/mark; ${LOOP}`, '--environment=MORE=more');
    const inside = (...command: string[]) => rkt.run(['enter', pod.uuid, ...command], { input: 'typed' });
    const look =
      'cat /tmp/mark; echo $MORE $AC_APP_NAME; pwd; cat; cat /proc/self/cgroup | grep -c rkt-; exit 9';
    const found = await inside('/bin/sh', '-c', look);
    expect({ code: found.code, lines: found.stdout.split('\n').slice(0, 4) }).toEqual({
      code: 9,
      lines: ['mine', 'more app', '/home/alice', expect.stringMatching(/^typed[1-9]/)],
    });
    expect(await inside('absent')).toMatchObject({
      code: 203,
      stderr: expect.stringMatching(/^enter: absent: not found in PATH/),
    });
    const stays = rkt.start(['enter', pod.uuid, 'sh', '-c', LOOP]);
    await eventually('the program runs', () => stays.stdout.includes('ready'));
    await endPod(pod);
    // With the pod it ends.
    expect((await stays.finished).code).toBe(137);
    expect((await inside('true')).code).toBe(254);
  });

  test('as the app’s user', async () => {
    const pod = await start(LOOP, '--user=alice', '--group=crew', '--supplementary-gids=5');
    expect(await rkt.output(['enter', pod.uuid, 'id'])).toBe('uid=1000(alice) gid=2000(crew) groups=5\n');
    await endPod(pod);
  });
});

describe('at a terminal', () => {
  test('the app has it: its keys reach it once, and it can be stopped and go on with its shell', async () => {
    const traps =
      "trap 'echo interrupted' INT; trap 'stty size' WINCH; trap 'exit 8' QUIT; trap 'echo goes on' CONT";
    const argv = rkt.argv(['run', '--net=host', STAGE1, ...app(`${traps}; tty; ${LOOP}`)]);
    const terminal = new TerminalCommand(rkt, ['/bin/bash', '--norc', '-i']);
    terminal.type(
      `PS1='shell: '; ${argv.join(' ').replace(/-c (.*)$/s, (_, text: string) => `-c '${text.replaceAll("'", `'\\''`)}'`)}\n`,
    );
    await terminal.waitFor(/\/dev\/pts\/\d+$/m);
    await terminal.waitFor(/^ready$/m);
    terminal.type(CTRL_C);
    await terminal.waitFor(/interrupted/);
    await terminal.resize({ rows: 33, columns: 111 });
    await terminal.waitFor(/^33 111$/m);
    terminal.type('\x1a');
    await terminal.waitFor(/Stopped/);
    terminal.type('fg\n');
    await terminal.waitFor(/^goes on$/m);
    terminal.type('\x1c');
    terminal.type('echo code $?\n');
    await terminal.waitFor(/code 8$/m);
    expect(terminal.shown.match(/^(\^C)?interrupted(\^C)?$/gm)).toHaveLength(1);
    terminal.type('exit\n');
    await terminal.finished;
  });
});

test('a detached pod has its output in its log', async () => {
  const uuid = (
    await rkt.output([
      'run',
      '--net=host',
      '--detach',
      STAGE1,
      ...app('echo out; echo err >&2; cat; echo done; sleep 0.2; exit 2'),
    ])
  ).trim();
  expect(await rkt.output(['wait', uuid])).toBe('2\n');
  expect((await rkt.output(['logs', uuid])).split('\n').sort()).toEqual(['', 'done', 'err', 'out']);
  expect(readFileSync(join(rkt.dir, 'pods/run', uuid, 'supervisor.log'), 'utf8')).toBe('');
});
