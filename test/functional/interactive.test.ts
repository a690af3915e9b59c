import { beforeAll, describe, expect, test } from 'vitest';
import { FLAVOURS } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { eventually } from '../support/polling.ts';
import { useRkt } from '../support/rkt.ts';
import { CTRL_C, TerminalCommand } from '../support/terminal.ts';

describe.each(FLAVOURS)('$name', ({ image: stage1 }) => {
  const rkt = useRkt(stage1);
  let image = '';
  beforeAll(async () => {
    image = (await tinyImages()).aci.plain;
  });

  const LOOP = 'while :; do sleep 0.1; done';

  function shell(flags: readonly string[], script: string): string[] {
    return ['run', '--net=none', ...flags, image, '--exec=/bin/sh', '--', '-c', script];
  }

  describe('--interactive', () => {
    test('the app’s terminal follows the window; Ctrl-C reaches the app; the caller’s terminal is as before', async () => {
      const script = `trap 'stty size' WINCH; trap 'echo interrupted; exit 9' INT; tty; stty size; echo ready; ${LOOP}`;
      const keeper =
        'before=$(stty -g); "$@"; code=$?; [ "$before" = "$(stty -g)" ] && echo terminal restored; exit $code';
      const terminal = new TerminalCommand(rkt, [
        '/bin/sh',
        '-c',
        keeper,
        'sh',
        ...rkt.argv(shell(['--interactive'], script)),
      ]);
      await terminal.resize({ rows: 41, columns: 132 });
      await terminal.waitFor(/^ready$/m);
      expect(terminal.shown).not.toMatch(/not a tty/);
      await terminal.resize({ rows: 24, columns: 80 });
      await terminal.waitFor(/^24 80$/m);
      await terminal.resize({ rows: 50, columns: 199 });
      await terminal.waitFor(/^50 199$/m);
      terminal.type(CTRL_C);
      expect((await terminal.finished).code).toBe(9);
      // The terminal's echo of the key may come in before the end of a line that the app writes because of it.
      expect(terminal.shown).toMatch(/^(\^C)?interrupted(\^C)?$/m);
      expect(terminal.shown).toMatch(/^terminal restored$/m);
    });

    test('what is typed reaches the app, and a shell’s exit code comes back', async () => {
      const terminal = new TerminalCommand(
        rkt,
        rkt.argv(['run', '--net=none', '--interactive', image, '--exec=/bin/sh']),
      );
      await terminal.waitFor(/\/home\/alice #/);
      terminal.type('echo $((6 * 7)) from inside\n');
      await terminal.waitFor(/^42 from inside$/m);
      terminal.type('exit 3\n');
      expect((await terminal.finished).code).toBe(3);
    });

    test('without a terminal standard input is the app’s, to its end', async () => {
      const { code, stdout } = await rkt.run(shell(['--interactive'], 'wc -c'), {
        input: 'x'.repeat(300_000),
      });
      expect({ code, stdout: stdout.trim() }).toEqual({ code: 0, stdout: '300000' });
    });

    test('takes exactly one image', async () => {
      const { code, stderr } = await rkt.run(['run', '--interactive', image, '--name=a', image, '--name=b']);
      expect(code).toBe(254);
      expect(stderr).toMatch(/^run: /);
    });
  });

  describe('without --interactive', () => {
    test('Ctrl-C stops the pod, and its app may finish what it does', async () => {
      const script = `trap 'echo stopping; exit 0' TERM; echo ready; ${LOOP}`;
      const terminal = new TerminalCommand(rkt, rkt.argv(shell([], script)));
      await terminal.waitFor(/ready/);
      terminal.type(CTRL_C);
      await terminal.finished;
      expect(terminal.shown).toMatch(/stopping/);
    });

    test('SIGTERM to rkt stops the pod too', async () => {
      const command = rkt.start(shell([], `trap 'echo stopping; exit 0' TERM; echo ready; ${LOOP}`));
      await eventually('the app is up', () => command.stdout.includes('ready'));
      command.signal('SIGTERM');
      expect((await command.finished).stdout).toMatch(/stopping/);
    });
  });
});
