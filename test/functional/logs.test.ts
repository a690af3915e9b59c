import { readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { FLAVOURS } from '../support/flavours.ts';
import { GroupHost } from '../support/group-member.ts';
import { tinyImages } from '../support/images.ts';
import { eventually } from '../support/polling.ts';
import { savedUuid, useRkt } from '../support/rkt.ts';
import { endPod, startPod, useRunningPods } from '../support/running-pod.ts';
import { TerminalCommand } from '../support/terminal.ts';
import { tool } from '../support/tool.ts';

const rkt = useRkt();
const host = new GroupHost(rkt);
const pods = useRunningPods();
let image = '';
beforeAll(async () => {
  // So that the directories are the group's.
  await host.root(['fetch', '--pull-policy=never', 'example.com/none']);
  image = (await tinyImages()).aci.plain;
});

const shell = (name: string, script: string) => [
  image,
  `--name=${name}`,
  '--exec=/bin/sh',
  '--',
  '-c',
  script,
];
const TIME = String.raw`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z`;

const logs = (...args: readonly string[]) => rkt.output(['logs', ...args]);
/** What keeps a script from going on until `letGoOn`. */
const held = (name: string) => `until [ -e /dev/shm/${name} ]; do sleep 0.1; done`;

/** Lets a script of the pod go on. */
async function letGoOn(uuid: string, name: string): Promise<void> {
  await rkt.output(['enter', '--app=web', uuid, '/bin/sh', '-c', `: > /dev/shm/${name}`]);
}

describe.each(FLAVOURS)('$name', ({ image: stage1, severalApps }) => {
  const flavour = `--stage1-path=${stage1}`;

  describe('of one app that has ended', () => {
    let uuid = '';
    /** When the third line has begun, and does not go on. */
    let within = 0;
    beforeAll(async () => {
      // Which of the two streams comes first is sure only when the one has been seen before the other is written.
      const script = [
        ...['echo one', held('two'), 'echo two >&2', held('three'), 'printf "three "', held('more')],
        ...['echo more', 'printf "\\000\\377 no newline"'],
      ];
      const pod = await startPod(rkt, [flavour, ...shell('web', script.join('; '))]);
      pods.push(pod);
      uuid = pod.uuid;
      const written = (text: string) => eventually(text, async () => (await logs(uuid)).endsWith(text));
      await written('one\n');
      await letGoOn(uuid, 'two');
      await written('two\n');
      await letGoOn(uuid, 'three');
      await written('three ');
      within = Date.now();
      await letGoOn(uuid, 'more');
      await pod.command.finished;
    });
    const end = '\0\xff no newline';

    test('all lines come in order, and are what was written', async () => {
      const { stdoutBytes } = await rkt.run(['logs', uuid.slice(0, 8)]);
      expect(stdoutBytes.toString('latin1')).toBe(`one\ntwo\nthree more\n${end}`);
    });

    test('--stream shows one stream alone', async () => {
      const { stdoutBytes } = await rkt.run(['logs', '--stream=stdout', uuid]);
      expect(stdoutBytes.toString('latin1')).toBe(`one\nthree more\n${end}`);
      expect(await logs('--stream=stderr', uuid)).toBe('two\n');
    });

    test('--timestamps shows when a line began', async () => {
      const text = await logs('--timestamps', uuid);
      const lines = text.split('\n');
      expect(lines[0]).toMatch(new RegExp(`^${TIME} one$`));
      expect(lines[2]).toMatch(new RegExp(`^${TIME} three more$`));
      const times = lines.map((line) => Date.parse(line.split(' ')[0] ?? ''));
      expect(times[2]).toBeLessThanOrEqual(within);
      expect(times[3]).toBeGreaterThanOrEqual(within);
    });

    test('--tail shows the last lines', async () => {
      expect(await logs('--tail=2', '--stream=stdout', uuid)).toContain('three more\n');
      expect(await logs('--tail=2', '--stream=stdout', uuid)).not.toContain('one');
      expect(await logs('--tail=0', uuid)).toBe('');
    });

    test('--since takes a time or an age', async () => {
      const [, third = ''] = new RegExp(`^(${TIME}) three`, 'm').exec(await logs('--timestamps', uuid)) ?? [];
      expect(await logs(`--since=${third}`, uuid)).toMatch(/^three more\n/);
      expect(await logs('--since=1h', uuid)).toMatch(/^one\ntwo\n/);
      expect(await logs('--since=1ms', uuid)).toBe('');
    });

    test('--follow ends at once; --app and --uuid-file name what is there', async () => {
      writeFileSync(rkt.path('uuid-of-logs'), uuid);
      const text = await logs('--follow', '--app=web', `--uuid-file=${rkt.path('uuid-of-logs')}`);
      expect(text).toMatch(/^one\ntwo\nthree more\n/);
    });

    test.each([
      [['--app=db'], 'no app "db" in the pod: it has web'],
      [['--tail=-1'], '"-1" is no number of lines'],
      [['--since=yesterday'], 'invalid duration "yesterday"'],
      [['--since=2026-13-01T00:00:00Z'], '"2026-13-01T00:00:00Z" is no time'],
      [['--stream=stdin'], '"stdin" is neither stdout nor stderr'],
    ])('%j is refused', async (flags, message) => {
      const { code, stdout, stderr } = await rkt.run(['logs', ...flags, uuid]);
      expect({ code, stdout }).toEqual({ code: 254, stdout: '' });
      expect(stderr).toMatch(/^logs: [^\n]*\n$/);
      expect(stderr).toContain(message);
    });
  });

  test.runIf(severalApps)('of several apps, each line comes after the name of its app', async () => {
    const db = shell('db', `${held('go')}; echo from db >&2`);
    const pod = await startPod(rkt, [flavour, ...shell('web', `echo from web; ${held('go')}`), '---', ...db]);
    pods.push(pod);
    const { uuid } = pod;
    await eventually('the one has written', async () => (await logs(uuid)) === 'web: from web\n');
    await letGoOn(uuid, 'go');
    await pod.command.finished;
    expect(await logs(uuid)).toBe('web: from web\ndb: from db\n');
    expect(await logs('--timestamps', uuid)).toMatch(
      new RegExp(`^${TIME} web: from web\n${TIME} db: from db\n$`),
    );
    expect(await logs('--app=db', uuid)).toBe('from db\n');
  });

  test('-f shows what comes, over rotation, until the pod has ended', async () => {
    // 20 portions of 100 kB, of which the log keeps about 10.
    const line = 'x'.repeat(99);
    const portion = `i=0; while [ $i -lt 1000 ]; do echo ${line}; i=$((i+1)); done`;
    // It stands still after every fourth until that is shown: who follows must not fall behind by what the log keeps.
    const stop = `[ $((n%4)) != 3 ] || ${held('$n')}`;
    const script = `n=0; while [ $n -lt 20 ]; do echo "portion $n"; ${portion}; ${stop}; n=$((n+1)); done`;
    const until = (end: number) =>
      Array.from({ length: end }, (_, n) => `portion ${n}\n${`${line}\n`.repeat(1000)}`).join('');
    const pod = await startPod(rkt, [flavour, '--log-size=1Mi', ...shell('web', script)]);
    pods.push(pod);
    const following = rkt.start(['logs', '-f', pod.uuid]);
    await eventually('the first lines are shown', () => following.stdout.includes('portion 0'));
    expect(following.ended).toBe(false);
    const late = rkt.start(['logs', '--follow', '--tail=0', pod.uuid]);
    for (const n of [3, 7, 11, 15, 19]) {
      const whole = until(n + 1);
      await eventually(
        'those who follow have come so far',
        () => following.stdout.length >= whole.length && whole.endsWith(late.stdout),
      );
      await letGoOn(pod.uuid, String(n));
    }
    const [first, second] = await Promise.all([following.finished, late.finished, pod.command.finished]);
    expect(first).toMatchObject({ code: 0, stderr: '' });
    const whole = until(20);
    expect(first.stdout === whole).toBe(true);
    expect(second.code).toBe(0);
    expect(whole.endsWith(second.stdout)).toBe(true);
    expect(second.stdout.length).toBeLessThan(whole.length);
    // What is kept is the end.
    const kept = await logs(pod.uuid);
    expect(kept.length).toBeLessThan(1024 * 1024 + 2 * 65536);
    expect(whole.endsWith(kept)).toBe(true);
  });

  test('with nobody at its streams, all that a pod has written is kept, and no more than it may', async () => {
    const script = 'yes 0123456789abcdef | head -c 3000000; yes end | head -c 40000 >&2';
    const file = rkt.path('silent');
    const run = rkt.argv(['run', '--net=none', flavour, `--uuid-file-save=${file}`, ...shell('web', script)]);
    const argv = ['/bin/sh', '-c', '"$@" > /dev/null', 'sh', ...run];
    expect((await rkt.startArgv(argv).finished).code).toBe(0);
    const uuid = savedUuid(file) ?? '';
    const text = await logs('--stream=stdout', uuid);
    expect(text === '0123456789abcdef\n'.repeat(200_000).slice(0, 3_000_000)).toBe(true);
  });

  test('a pod keeps as much as was said when it was prepared', async () => {
    const prepare = [
      'prepare',
      flavour,
      '--log-size=128Ki',
      ...shell('web', 'yes | head -c 1000000; echo last'),
    ];
    const uuid = (await rkt.output(prepare)).trimEnd();
    const refused = await rkt.run(['logs', uuid]);
    expect(refused).toMatchObject({ code: 254, stdout: '', stderr: `logs: pod "${uuid}" has not run\n` });
    await rkt.output(['run-prepared', '--net=none', uuid]);
    const text = await logs('--stream=stdout', uuid);
    expect(text).toMatch(/^y\n(y\n)*last\n$/);
    const directory = join(rkt.dir, 'pods/run', uuid, 'logs/web');
    const bytes = readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
    expect(bytes).toBeLessThan(128 * 1024 + 2 * 65536 + 64);
    expect(text.length).toBeGreaterThan(60_000);
    const manifest = rkt.path('manifest-of-logs');
    writeFileSync(manifest, (await rkt.output(['cat-manifest', uuid])).replace('"131072"', '"1"'));
    expect(await rkt.run(['prepare', flavour, `--pod-manifest=${manifest}`])).toMatchObject({
      code: 254,
      stderr: 'prepare: coreos.com/rkt/log-size: "1" is not 131072 to 4294967296 bytes\n',
    });
    const wrong = await rkt.run(['prepare', flavour, '--log-size=1k', ...shell('web', 'true')]);
    expect(wrong).toMatchObject({
      code: 254,
      stderr: 'prepare: --log-size: "1k" is no size from 128Ki to 4Gi\n',
    });
  });

  test('a pod that was killed has left all that had come', async () => {
    const pod = await startPod(rkt, [flavour, ...shell('web', 'echo before; while :; do sleep 0.1; done')]);
    await eventually('it has written', async () => (await logs(pod.uuid)) === 'before\n');
    pod.command.signal('SIGKILL');
    await pod.command.finished;
    expect(await logs('-f', pod.uuid)).toBe('before\n');
  });

  test('a terminal’s output is its app’s stdout', async () => {
    const file = rkt.path('at-terminal');
    const flags = ['run', '--net=none', flavour, '--interactive', `--uuid-file-save=${file}`];
    const app = [image, '--name=web', '--exec=/bin/sh', '--', '-c', 'echo seen; echo too >&2'];
    const terminal = new TerminalCommand(rkt, rkt.argv([...flags, ...app]));
    await terminal.waitFor(/seen\ntoo/);
    await terminal.finished;
    expect(await logs('--stream=stdout', savedUuid(file) ?? '')).toBe('seen\r\ntoo\r\n');
  });

  test('on a full file system an app goes on, and its log says what is missing', async () => {
    const directory = join(rkt.dir, 'pods');
    const filler = join(directory, 'filler');
    await tool('mount', ['-t', 'tmpfs', '-o', 'size=8m,mode=2750', 'rkt-test', directory]);
    try {
      const script =
        'n=0; while :; do n=$((n+1)); echo "line $n of a log that fills some pages $PAD"; sleep 0.05; done';
      const pad = `--environment=PAD=${'.'.repeat(4000)}`;
      const app = [image, '--name=web', '--exec=/bin/sh', pad, '--', '-c', script];
      const pod = await startPod(rkt, [flavour, ...app]);
      try {
        await eventually('it has written', async () => (await logs(pod.uuid)).includes('line 3 '));
        await tool('sh', ['-c', 'dd if=/dev/zero of="$0" bs=4k 2> /dev/null || true', filler]);
        await eventually('it is said', () => /dropped from their logs/.test(pod.command.stderr));
        const lines = () => pod.command.stdout.split('\n').length;
        const before = lines();
        await eventually('the app goes on', () => lines() > before + 20);
        rmSync(filler);
        const gap = /web: stdout: (\d+) bytes before \S+ are missing: they could not be written/g;
        const shown = await eventually('the log goes on', async () => {
          const { stdout, stderr } = await rkt.run(['logs', pod.uuid]);
          const lost = [...stderr.matchAll(gap)].reduce((sum, [, bytes]) => sum + Number(bytes), 0);
          return lost > 20 * 4000 && { stdout, lost };
        });
        expect(shown.stdout).toContain('line 3 ');
        // Nothing else is missing: what is there and what is not add up, once it goes on.
        expect(shown.stdout.length + shown.lost).toBeGreaterThan(before * 4000);
        expect(pod.command.stderr.match(/dropped from their logs/g)).toHaveLength(1);
      } finally {
        await endPod(pod);
      }
      await rkt.output(['gc', '--grace-period=0s']);
    } finally {
      await tool('umount', [directory]);
    }
  });
});

test('a member of the group rkt may read them, a stranger may not', async () => {
  const file = rkt.path('for-members');
  const run = ['run', '--net=none', `--uuid-file-save=${file}`, ...shell('web', 'echo for members')];
  expect((await host.root(run)).code).toBe(0);
  const uuid = savedUuid(file) ?? '';
  expect(await host.member(['logs', uuid])).toMatchObject({ code: 0, stdout: 'for members\n' });
  const { code, stdout } = await host.stranger(['logs', uuid]);
  expect({ code, stdout }).toEqual({ code: 254, stdout: '' });
});
