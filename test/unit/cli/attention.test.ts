import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { rootDir } from '../../../tools/paths.ts';
import { TerminalScreen } from './terminal-screen.ts';

const program = ['--import', 'tsx', join(rootDir, 'test/unit/cli/attention-program.ts')];
const started: ChildProcessWithoutNullStreams[] = [];
afterEach(() => {
  for (const child of started.splice(0)) child.kill('SIGKILL');
});

class Command {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #ended: Promise<unknown[]>;
  output = '';

  constructor(file: string, args: readonly string[]) {
    this.#child = spawn(file, args, { cwd: rootDir, env: { ...process.env, TERM: 'xterm' } });
    started.push(this.#child);
    this.#ended = once(this.#child, 'close');
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream.on('data', (chunk: Buffer) => {
        this.output += chunk.toString();
      });
  }

  type(text: string): void {
    this.#child.stdin.write(text);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  async shows(text: string, after = 0): Promise<void> {
    await this.until(text, () => this.output.includes(text, after));
  }

  /** Stopped, as by Ctrl-Z: `script` stops with what it runs. */
  async stops(): Promise<void> {
    const status = `/proc/${this.#child.pid}/status`;
    await this.until('its stop', () => /^State:\tT/m.test(readFileSync(status, 'utf8')));
  }

  async until(what: string, holds: () => boolean): Promise<void> {
    while (!holds()) {
      if (this.#child.exitCode !== null) throw new Error(`ended without ${what}: ${this.output}`);
      await delay(20);
    }
  }

  async end(): Promise<number | null> {
    await this.#ended;
    return this.#child.exitCode;
  }
}

/** At a terminal of 80 columns, which `script` keeps the other side of. */
function atTerminal(argument = ''): Command {
  const inner = [process.execPath, ...program, argument].map((word) => `'${word}'`).join(' ');
  const command = `stty cols 80 rows 24 && exec ${inner}`;
  return new Command('script', ['-q', '-e', '-f', '--echo', 'never', '-c', command, '/dev/null']);
}

function screenOf({ output }: { readonly output: string }): TerminalScreen {
  const screen = new TerminalScreen(80, 24);
  screen.write(output);
  return screen;
}

const RETRY = 'image: example.com: bad HTTP status code: 503, trying again in 1s';
const CTRL_C = '\x03';
const CTRL_Z = '\x1a';
const HIDE = '\x1b[?25l';

describe('a command at a terminal', () => {
  it('draws its layers below what it has said, until it is interrupted', async () => {
    const command = atTerminal();
    await command.shows('50%');
    const drawn = screenOf(command);
    expect(drawn.text[0]).toBe(RETRY);
    expect(drawn.text[1]).toMatch(/^downloading 111111111111 \[=+> +\] {2}50% /);
    expect(drawn.text[2]).toMatch(/^downloading 222222222222 \[=+> +\]/);
    expect(drawn.cursorVisible).toBe(false);
    command.type(CTRL_C);
    expect(await command.end()).toBe(254);
    const left = screenOf(command);
    expect(left.text).toEqual([RETRY, 'fetch: interrupted by SIGINT']);
    expect(left.cursorVisible).toBe(true);
  });

  it('draws nothing over its questions', async () => {
    const command = atTerminal('ask');
    await command.shows('no\r\n');
    expect(screenOf(command).text.slice(0, 2)).toEqual([RETRY, 'Trust it? no']);
    expect(screenOf(command).cursorVisible).toBe(true);
    command.type(CTRL_C);
    expect(await command.end()).toBe(254);
  });

  it('gives the terminal back while it is stopped', async () => {
    const command = atTerminal();
    await command.shows('50%');
    const { length } = command.output.split(HIDE);
    command.type(CTRL_Z);
    await command.stops();
    command.signal('SIGCONT');
    // `script` may stop before it has passed on the last of what it was told, so this is looked for afterwards.
    const parts = () => command.output.split(HIDE);
    await command.until('its next drawing', () => parts().length > length);
    const given = screenOf({ output: parts().slice(0, length).join(HIDE) });
    expect(given.text).toEqual([RETRY]);
    expect(given.cursorVisible).toBe(true);
    command.type(CTRL_C);
    expect(await command.end()).toBe(254);
  });

  it('has nothing on the screen any more when its image is there', async () => {
    const command = atTerminal('import');
    await command.end();
    expect(command.output).toContain('[?25l');
    expect(screenOf(command).text.slice(0, 2)).toEqual([RETRY, 'imported']);
    expect(screenOf(command).cursorVisible).toBe(true);
  });
});

describe('a command without a terminal', () => {
  it('says when each download begins, and by what it was interrupted', async () => {
    const command = new Command(process.execPath, program);
    await command.shows(RETRY);
    command.signal('SIGTERM');
    expect(await command.end()).toBe(254);
    expect(command.output.split('\n')).toEqual([
      'image: downloading sha256:1111111111111111, 4.0MiB',
      'image: downloading sha256:2222222222222222, 4.0MiB',
      RETRY,
      'fetch: interrupted by SIGTERM',
      '',
    ]);
  });
});
