import { writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { FLAVOURS } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { eventually } from '../support/polling.ts';
import { useRkt } from '../support/rkt.ts';
import { endPod, type RunningPod, startPod, startSandbox, useRunningPods } from '../support/running-pod.ts';
import { CTRL_C, TerminalCommand } from '../support/terminal.ts';

const rkt = useRkt();
const pods = useRunningPods();
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
});

const CTRL_P = '\x10';
const CTRL_Q = '\x11';
const app = (name: string, flags: readonly string[], script: string) => [
  ...[image, `--name=${name}`, '--exec=/bin/sh', ...flags, '--', '-c', script],
];

interface Target {
  readonly name: string;
}

async function listed(uuid: string, ...flags: readonly string[]): Promise<string[]> {
  const { version, targets } = JSON.parse(await rkt.output(['attach', '--mode=list', ...flags, uuid])) as {
    version: number;
    targets: Target[];
  };
  expect(version).toBe(1);
  return targets.map(({ name }) => name);
}

describe.each(FLAVOURS)('$name', ({ image: stage1, severalApps, mutablePods }) => {
  const flavour = `--stage1-path=${stage1}`;
  const start = async (...apps: readonly string[][]): Promise<RunningPod> => {
    const words = apps.flatMap((words, index) => (index === 0 ? words : ['---', ...words]));
    const pod = await startPod(rkt, [flavour, ...words]);
    pods.push(pod);
    return pod;
  };

  describe('streams', () => {
    const echo =
      'while read -r line; do echo "out $line"; echo "err $line" >&2; [ "$line" = end ] && exit 5; done; echo closed';
    let pod: RunningPod;
    beforeAll(async () => {
      pod = await start(app('web', ['--stdin=stream', '--stdout=stream', '--stderr=log'], echo));
    });

    test('--mode=list prints what there is', async () => {
      expect(await listed(pod.uuid)).toEqual(['stdin', 'stdout', 'stderr']);
    });

    test('several are attached at once, each to what it wants, and come again', async () => {
      for (const round of ['first', 'second']) {
        const all = rkt.start(['attach', pod.uuid], { input: 'open' });
        const out = rkt.start(['attach', '--mode=stdout', pod.uuid]);
        const err = rkt.start(['attach', '--mode=stderr', '--app=web', pod.uuid]);
        // What was written before one is attached is not shown: it is asked for until it is.
        await eventually('all are attached', async () => {
          await rkt.run(['attach', '--mode=stdin', pod.uuid], { input: 'ping\n' });
          return [all.stdout, all.stderr, out.stdout, err.stderr].every((text) => text.includes('ping'));
        });
        all.stdin.write(`${round}\n`);
        await eventually(
          'all see it',
          () =>
            [all.stdout, out.stdout].every((text) => text.includes(`out ${round}\n`)) &&
            [all.stderr, err.stderr].every((text) => text.includes(`err ${round}\n`)),
        );
        expect(out.stderr).toBe('');
        expect(err.stdout).toBe('');
        for (const command of [all, out, err]) {
          command.signal('SIGTERM');
          expect((await command.finished).code).toBe(143);
        }
      }
    });

    test('--mode=stdin carries what it is given, ends with it, and leaves the input open', async () => {
      const lines = Array.from({ length: 2000 }, (_, n) => `line ${n} ${'.'.repeat(100)}\n`).join('');
      expect(await rkt.run(['attach', '--mode=stdin', pod.uuid], { input: lines })).toMatchObject({
        code: 0,
        stdout: '',
        stderr: '',
      });
      const logged = () => rkt.output(['logs', '--stream=stdout', '--tail=2000', pod.uuid]);
      const expected = lines.replaceAll(/^/gm, 'out ').slice(0, -4);
      await eventually('all has come', async () => (await logged()) === expected);
    });

    test('output to whoever attaches is logged and not shown by run; output for the log is both', async () => {
      expect(await rkt.output(['logs', '--stream=stdout', pod.uuid])).toContain('out first\n');
      expect(pod.command.stdout).toBe('');
      expect(pod.command.stderr).toContain('err first\n');
    });

    test('who does not read is let go of, and holds nobody up for ever', async () => {
      // The shell does not read; its attach fills the pipe between them.
      const script = '"$@" | (sleep 1000; cat)';
      const deaf = rkt.startArgv([
        '/bin/sh',
        '-c',
        script,
        'sh',
        ...rkt.argv(['attach', '--mode=stdout', pod.uuid]),
      ]);
      const flood = `${'x'.repeat(1000)}\n`.repeat(600);
      const rest = 'after the flood\n';
      await eventually('it is attached, and lets go', async () => {
        await rkt.run(['attach', '--mode=stdin', pod.uuid], { input: flood + rest });
        return deaf.stderr.includes('let go of');
      });
      expect(deaf.stderr).toBe('attach: let go of, since no output was read for 10 seconds\n');
      // With what it has started.
      process.kill(-deaf.pid, 'SIGKILL');
      await eventually('the app goes on', async () =>
        (await rkt.output(['logs', '--tail=1', '--stream=stdout', pod.uuid])).includes('after the flood'),
      );
    });

    test('attaching ends with the app', async () => {
      const command = rkt.start(['attach', '--mode=stdin,stdout', pod.uuid], { input: 'open' });
      command.stdin.write('end\n');
      const { code, stdout } = await command.finished;
      expect(code).toBe(0);
      expect(stdout).toMatch(/out end\n$/);
      expect((await pod.command.finished).code).toBe(5);
      const late = await rkt.run(['attach', pod.uuid]);
      expect(late).toMatchObject({
        code: 254,
        stderr: `attach: pod "${pod.uuid}" isn't currently running\n`,
      });
    });
  });

  test('with modes of their own for each stream, null is neither logged nor there', async () => {
    const script = 'read -r line; echo "read [$line]"; echo unheard >&2; while :; do sleep 0.1; done';
    const pod = await start(app('web', ['--stdin=null', '--stdout=log', '--stderr=null'], script));
    await eventually('it has written', () => pod.command.stdout === 'read []\n');
    expect(await listed(pod.uuid)).toEqual(['stdout']);
    await eventually('it is logged', async () => (await rkt.output(['logs', pod.uuid])) === 'read []\n');
    const refused = await rkt.run(['attach', '--mode=stdin', pod.uuid]);
    expect(refused).toMatchObject({
      code: 254,
      stderr: 'attach: app web has no stdin to attach to: it has stdout\n',
    });
    await endPod(pod);
    expect(pod.command.stderr).not.toContain('unheard');
  });

  describe('a terminal', () => {
    // It writes more than a terminal takes before anybody is there.
    const script =
      'i=0; while [ $i -lt 3000 ]; do echo "line $i of what nobody reads"; i=$((i+1)); done; echo nobody was needed; exec /bin/sh -i';
    let pod: RunningPod;
    beforeAll(async () => {
      pod = await start(app('web', ['--stdin=tty', '--stdout=tty', '--stderr=tty'], script));
    });
    const keeper =
      'stty rows 33 cols 111; before=$(stty -g); "$@"; code=$?; [ "$before" = "$(stty -g)" ] && echo terminal restored; exit $code';
    const attached = (...flags: readonly string[]) =>
      new TerminalCommand(rkt, ['/bin/sh', '-c', keeper, 'sh', ...rkt.argv(['attach', ...flags, pod.uuid])]);
    /** Types until there is an answer: what is typed before the terminal is raw, it echoes itself. */
    const ask = async (terminal: TerminalCommand, command: string, answer: RegExp) => {
      await eventually(`an answer to ${command}`, () => {
        if (answer.test(terminal.shown)) return true;
        terminal.type(`${command}\n`);
        return new Promise<boolean>((resolve) => setTimeout(() => resolve(answer.test(terminal.shown)), 500));
      });
    };

    test('runs without anybody, and all it has shown is logged', async () => {
      await eventually('it has shown all', async () =>
        (await rkt.output(['logs', pod.uuid])).includes('nobody was needed\r\n'),
      );
      expect(await rkt.output(['logs', pod.uuid])).toContain('line 2999 of what nobody reads\r\n');
      expect(await listed(pod.uuid)).toEqual(['tty']);
      expect(pod.command.stdout).toBe('');
    });

    test('follows the window of who attaches; Ctrl-C is a key; the keys detach, as often as one likes', async () => {
      for (const round of [1, 2]) {
        const terminal = attached();
        await ask(terminal, `echo round-$((${round}))`, new RegExp(`^round-${round}$`, 'm'));
        await ask(terminal, 'stty size', /^33 111$/m);
        await terminal.resize({ rows: 24, columns: 80 });
        await ask(terminal, 'stty size', /^24 80$/m);
        terminal.type(`echo sleeping-$((${round} + 1)); sleep 1000\n`);
        await terminal.waitFor(new RegExp(`^sleeping-${round + 1}$`, 'm'));
        // The shell itself reads it as a key as long as nothing else runs.
        await ask(terminal, `${CTRL_C}echo still-$((40 + 2))`, /^still-42$/m);
        expect(terminal.shown).toContain('^C');
        // One of them alone, and the first before something else, are the app's.
        terminal.type(CTRL_Q);
        terminal.type(`${CTRL_P}${CTRL_Q}`);
        expect((await terminal.finished).code).toBe(0);
        expect(terminal.shown).toMatch(/^attach: detached from app web$/m);
        expect(terminal.shown).toMatch(/^terminal restored$/m);
      }
    });

    test('is seen and typed at by several at once; --detach-keys are others', async () => {
      const [one, two] = [attached('--mode=tty'), attached('--detach-keys=ctrl-a,d')];
      await ask(one, 'echo one-$((1 + 1))', /^one-2$/m);
      await ask(two, 'echo two-$((2 + 2))', /^two-4$/m);
      await eventually('each sees what the other does', () => /^two-4$/m.test(one.shown));
      const watcher = rkt.start(['attach', '--mode=tty-out', pod.uuid]);
      await eventually('a third looks on', async () => {
        await ask(one, 'echo seen-$((3 + 3))', /^seen-6$/m);
        one.type('echo again-$((4 + 4))\n');
        return /again-8/.test(watcher.stdout);
      });
      two.type(`${CTRL_P}${CTRL_Q}`);
      two.type('\x01d');
      expect((await two.finished).code).toBe(0);
      await ask(one, 'echo on-$((5 + 5))', /^on-10$/m);
      watcher.signal('SIGINT');
      expect((await watcher.finished).code).toBe(130);
      one.type(`${CTRL_P}${CTRL_Q}`);
      expect((await one.finished).code).toBe(0);
    });

    test('--mode=tty-in types for a program, and ends with its input', async () => {
      const typed = await rkt.run(['attach', '--mode=tty-in', pod.uuid], {
        input: 'echo typed-$((6 + 6))\n',
      });
      expect(typed).toMatchObject({ code: 0, stdout: '', stderr: '' });
      await eventually('it is done', async () =>
        (await rkt.output(['logs', '--tail=5', pod.uuid])).includes('typed-12\r\n'),
      );
    });

    test('ends with its app, whose exit code is the pod’s; who is attached has the terminal as before', async () => {
      const terminal = attached();
      await ask(terminal, 'echo here-$((7 + 7))', /^here-14$/m);
      terminal.type('exit 6\n');
      expect((await terminal.finished).code).toBe(0);
      expect(terminal.shown).toMatch(/^terminal restored$/m);
      expect((await pod.command.finished).code).toBe(6);
    });
  });

  test.runIf(mutablePods)(
    'an app that comes to a mutable pod has its modes, and can be attached to',
    async () => {
      const pod = await startSandbox(rkt, [flavour]);
      pods.push(pod);
      await rkt.output(['fetch', image]);
      const modes = ['--stdin=stream', '--stdout=stream', '--stderr=null'];
      const script = 'while read -r line; do echo "out $line"; echo "err $line" >&2; done';
      const exec = ['--name=late', '--exec=/bin/sh', ...modes, '--', '-c', script];
      await rkt.output(['app', 'add', pod.uuid, 'example.com/tiny', ...exec]);
      const early = await rkt.run(['attach', pod.uuid]);
      expect(early).toMatchObject({ code: 254, stderr: 'attach: app "late" does not run in this pod\n' });
      // Started again it has new streams, and goes on with its log.
      for (const round of ['first', 'second']) {
        await rkt.output(['app', 'start', pod.uuid, '--app=late']);
        expect(await listed(pod.uuid)).toEqual(['stdin', 'stdout']);
        const command = rkt.start(['attach', pod.uuid], { input: 'open' });
        command.stdin.write(`${round}\n`);
        await eventually('it is echoed', () => command.stdout.includes(`out ${round}\n`));
        await rkt.output(['app', 'stop', pod.uuid, '--app=late']);
        expect(await command.finished).toMatchObject({ code: 0, stdout: `out ${round}\n`, stderr: '' });
      }
      expect(await rkt.output(['logs', pod.uuid])).toBe('out first\nout second\n');
      await endPod(pod);
    },
  );

  test.runIf(severalApps)('of several apps one is named by --app', async () => {
    const wait = 'while :; do sleep 0.1; done';
    const pod = await start(app('web', [], wait), app('db', ['--stdin=stream'], wait));
    expect(await listed(pod.uuid, '--app=db')).toEqual(['stdin', 'stdout', 'stderr']);
    expect(await listed(pod.uuid, '--app=web')).toEqual(['stdout', 'stderr']);
    const unnamed = await rkt.run(['attach', pod.uuid]);
    expect(unnamed.code).toBe(254);
    expect(unnamed.stderr).toContain('pod contains multiple apps: web, db');
    await endPod(pod);
  });
});

describe('the command lines', () => {
  test.each([
    [
      ['attach', '--mode=stdin,tty', 'UUID'],
      'incompatible endpoints "stdin,tty-in,tty-out", cannot simultaneously attach TTY and streams',
    ],
    [['attach', '--mode=screen', 'UUID'], 'unknown endpoint "screen"'],
    [['attach', '--detach-keys=F1', 'UUID'], '"F1" is no key'],
    [['attach'], 'no UUID given'],
    [['prepare', 'IMAGE', '--stdin=log'], 'stdin="log": stdin is one of null, stream, tty'],
    [['prepare', 'IMAGE', '--stdin=tty', '--stdout=log'], 'stdout=log does not go with a terminal'],
    [['prepare', 'IMAGE', '--stdin=tty', '--restart=always'], 'restart=always does not go with a terminal'],
    [
      ['run', '--interactive', 'IMAGE', '--stderr=null'],
      'interactive option does not go with --stdin, --stdout and --stderr',
    ],
  ])('%j is refused', async (words, message) => {
    const args = words.map((word) => (word === 'IMAGE' ? image : word));
    const { code, stdout, stderr } = await rkt.run(args);
    expect({ code, stdout }).toEqual({ code: 254, stdout: '' });
    expect(stderr).toContain(message);
  });

  test('modes of a manifest hold, and are kept by prepare', async () => {
    const prepared = (await rkt.output(['prepare', image, '--stdin=stream', '--stderr=null'])).trimEnd();
    const manifest = await rkt.output(['cat-manifest', prepared]);
    expect(manifest).toMatch(/"coreos.com\/rkt\/stage2\/stdin",\s*"value": "stream"/);
    const refused = await rkt.run(['run-prepared', '--net=none', '--interactive', prepared]);
    expect(refused).toMatchObject({
      code: 254,
      stderr: 'run-prepared: interactive option does not go with --stdin=stream\n',
    });
    const file = rkt.path('manifest');
    writeFileSync(file, manifest.replace('"stream"', '"pipe"'));
    const wrong = await rkt.run(['prepare', `--pod-manifest=${file}`]);
    expect(wrong.code).toBe(254);
    expect(wrong.stderr).toContain('stdin="pipe": stdin is one of null, stream, tty');
  });
});
