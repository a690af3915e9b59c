import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { FLAVOURS } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { eventually } from '../support/polling.ts';
import { useRkt } from '../support/rkt.ts';
import { endPod, startPod, useRunningPods } from '../support/running-pod.ts';
import { CTRL_C, TerminalCommand } from '../support/terminal.ts';

describe.each(FLAVOURS)('$name', ({ image: stage1, imageName }) => {
  const rkt = useRkt(stage1);
  const pods = useRunningPods();
  const LOOP = 'while :; do sleep 0.1; done';
  let image = '';
  let uuid = '';
  beforeAll(async () => {
    image = (await tinyImages()).aci.plain;
    const pod = await startPod(rkt, [image, '--name=web', '--exec=/bin/sh', '--', '-c', LOOP]);
    pods.push(pod);
    uuid = pod.uuid;
  });

  /** A beginning of the UUID will do. */
  const inside = (script: string): string[] => ['enter', uuid.slice(0, 8), '/bin/sh', '-c', script];

  describe('the exit code', () => {
    test.each([
      ['exit 0', 0],
      ['exit 7', 7],
      ['kill -9 $$', 137],
    ])('%s', async (script, code) => {
      expect(await rkt.run(inside(script))).toMatchObject({ code, stdout: '', stderr: '' });
    });

    test.each([
      [['absent'], /^enter: absent: not found in PATH \(\S+\)\n$/],
      [['/etc/passwd'], /^enter: \/etc\/passwd: is not executable\n$/],
      [['/bin/broken-loader'], /^enter: \/bin\/broken-loader: its interpreter \/no\/such\/interpreter .*\n$/],
    ])('of a program that cannot be started: %j', async (program, message) => {
      const { code, stdout, stderr } = await rkt.run(['enter', uuid, ...program]);
      expect({ code, stdout }).toEqual({ code: 203, stdout: '' });
      expect(stderr).toMatch(message);
    });

    test('without a program, of bash', async () => {
      const { code, stderr } = await rkt.run(['enter', uuid]);
      expect(stderr).toBe(
        'enter: no command specified, assuming "/bin/bash"\nenter: /bin/bash: no such file in the image\n',
      );
      expect(code).toBe(203);
    });
  });

  describe('the command line', () => {
    test('what follows the UUID is the program’s, flags of rkt’s too', async () => {
      const words = ['--help', '--debug', '--app=x', '--dir', '--', 'two words', ''];
      const script = 'for word; do echo "[$word]"; done';
      const shown = words.map((word) => `[${word}]\n`).join('');
      const command = ['/bin/sh', '-c', script, 'sh', ...words];
      expect(await rkt.output(['enter', uuid, ...command])).toBe(shown);
      expect(await rkt.output(['enter', '--app', 'web', uuid, '--', ...command])).toBe(shown);
    });

    test.each([
      [['enter'], 'no UUID given'],
      [['enter', 'zz', 'true'], 'no matches found for "zz"'],
      [['enter', '--no-such-flag', 'zz'], 'no-such-flag'],
      [['enter', '--app=other', 'UUID', 'true'], 'no app "other" in the pod: it has web'],
    ])('%j is refused', async (args, message) => {
      const { code, stdout, stderr } = await rkt.run(args.map((word) => (word === 'UUID' ? uuid : word)));
      expect({ code, stdout }).toEqual({ code: 254, stdout: '' });
      expect(stderr).toMatch(/^enter: [^\n]*\n$/);
      expect(stderr).toContain(message);
    });

    test('it is for root', async () => {
      const drop = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
      const { code, stderr } = await rkt.startArgv([...drop, ...rkt.argv(inside('exit 0'))]).finished;
      // Whoever may not read the clone cannot start it at all: then there is nothing to tell.
      expect([254, 126, 127, 1]).toContain(code);
      if (code === 254) expect(stderr).toBe('enter: cannot run as unprivileged user\n');
    });
  });

  describe('without a terminal', () => {
    test('the three streams are the caller’s, apart', async () => {
      const input = 'x'.repeat(300_000);
      const { code, stdout, stderr } = await rkt.run(inside('cat; echo to stderr >&2'), { input });
      expect({ code, stderr }).toEqual({ code: 0, stderr: 'to stderr\n' });
      expect(stdout === input).toBe(true);
    });

    test('a file is written to as by any other program', async () => {
      const file = rkt.path('appended');
      const argv = rkt.argv(inside('echo from inside'));
      const script = 'echo before > "$0"; "$@" >> "$0"; echo after >> "$0"';
      expect((await rkt.startArgv(['/bin/sh', '-c', script, file, ...argv]).finished).code).toBe(0);
      expect(readFileSync(file, 'utf8')).toBe('before\nfrom inside\nafter\n');
    });

    test('a reader that has gone ends the program', async () => {
      const argv = rkt.argv(inside('yes; echo $? >&2; exit 3'));
      const { stdout, stderr } = await rkt.startArgv(['/bin/sh', '-c', '"$@" | head -1', 'sh', ...argv])
        .finished;
      expect(stdout).toBe('y\n');
      expect(Number(stderr)).toBeGreaterThan(0);
    });

    test.each(['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGQUIT'] as const)('%s is passed on', async (signal) => {
      const script = `trap 'echo got it; exit 5' ${signal.slice(3)}; echo ready; ${LOOP}`;
      const command = rkt.start(inside(script));
      await eventually('the program is up', () => command.stdout.includes('ready'));
      command.signal(signal);
      expect(await command.finished).toMatchObject({ code: 5, stdout: 'ready\ngot it\n' });
    });

    test('a caller that is killed leaves nobody behind', async () => {
      const command = rkt.start(inside(`trap 'echo hung up > /tmp/hup; exit' HUP; echo ready; ${LOOP}`));
      await eventually('the program is up', () => command.stdout.includes('ready'));
      command.signal('SIGKILL');
      expect(await rkt.output(inside('until [ -s /tmp/hup ]; do sleep 0.1; done; cat /tmp/hup'))).toBe(
        'hung up\n',
      );
    });
  });

  describe('at a terminal', () => {
    const keeper =
      'stty rows 33 cols 111; before=$(stty -g); "$@"; code=$?; [ "$before" = "$(stty -g)" ] && echo terminal restored; exit $code';
    const atTerminal = (script: string) =>
      new TerminalCommand(rkt, ['/bin/sh', '-c', keeper, 'sh', ...rkt.argv(inside(script))]);

    test('the program’s follows the window; Ctrl-C reaches it; the caller’s is as before', async () => {
      const script = `trap 'stty size' WINCH; trap 'echo interrupted; exit 9' INT; tty; echo term=$TERM; stty size; echo ready; ${LOOP}`;
      const terminal = atTerminal(script);
      await terminal.waitFor(/^ready$/m);
      expect(terminal.shown).toMatch(/^\/dev\/pts\/\d+\nterm=xterm\n33 111$/m);
      await terminal.resize({ rows: 24, columns: 80 });
      await terminal.waitFor(/^24 80$/m);
      terminal.type(CTRL_C);
      expect((await terminal.finished).code).toBe(9);
      // The terminal's echo of the key may come in before the end of a line that the program writes because of it.
      expect(terminal.shown).toMatch(/^(\^C)?interrupted(\^C)?$/m);
      expect(terminal.shown).toMatch(/^terminal restored$/m);
    });

    test('a shell there takes what is typed', async () => {
      const terminal = new TerminalCommand(rkt, rkt.argv(['enter', uuid, '/bin/sh']));
      await terminal.waitFor(/\/home\/alice #/);
      terminal.type('echo $((6 * 7)) from inside\n');
      await terminal.waitFor(/^42 from inside$/m);
      terminal.type('exit 3\n');
      expect((await terminal.finished).code).toBe(3);
    });

    test('one that could not be started leaves the caller’s as before', async () => {
      const argv = rkt.argv(['enter', uuid, 'absent']);
      const terminal = new TerminalCommand(rkt, ['/bin/sh', '-c', keeper, 'sh', ...argv]);
      expect((await terminal.finished).code).toBe(203);
      expect(terminal.shown).toMatch(/^enter: absent: not found in PATH/m);
      expect(terminal.shown).toMatch(/^terminal restored$/m);
    });

    test('output that goes elsewhere passes no terminal', async () => {
      const file = rkt.path('redirected');
      const argv = rkt.argv(inside('test -t 1 && echo a terminal; printf "one\\ntwo\\n"'));
      const terminal = new TerminalCommand(rkt, ['/bin/sh', '-c', '"$@" > "$0"', file, ...argv]);
      expect((await terminal.finished).code).toBe(0);
      expect(readFileSync(file, 'utf8')).toBe('one\ntwo\n');
    });
  });

  test('a pod whose stage1 is no longer in the store is entered all the same', async () => {
    await rkt.output(['image', 'rm', imageName]);
    expect(await rkt.output(inside('echo inside'))).toBe('inside\n');
  });

  test('a program ends with its pod; a pod that has ended is not entered', async () => {
    const pod = await startPod(rkt, [image, '--name=short', '--exec=/bin/sh', '--', '-c', LOOP]);
    const command = rkt.start(['enter', pod.uuid, '/bin/sh', '-c', `trap "" TERM; echo ready; ${LOOP}`]);
    await eventually('the program is up', () => command.stdout.includes('ready'));
    await endPod(pod);
    const { code } = await command.finished;
    expect([137, 254]).toContain(code);
    const refused = await rkt.run(['enter', pod.uuid, 'true']);
    expect(refused).toMatchObject({
      code: 254,
      stdout: '',
      stderr: `enter: pod "${pod.uuid}" isn't currently running\n`,
    });
  });
});
