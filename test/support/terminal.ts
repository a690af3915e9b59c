import { readFileSync } from 'node:fs';
import type { CommandOptions, Finished, RunningCommand } from './command.ts';
import { TestSupportError } from './error.ts';
import { eventually } from './polling.ts';
import type { RktHome } from './rkt.ts';
import { tool } from './tool.ts';

export interface WindowSize {
  readonly rows: number;
  readonly columns: number;
}

/** Ctrl-C, as the key reaches a terminal. */
export const CTRL_C = '\x03';

/**
 * A command at a terminal: `script` (in every Debian) keeps the other side of it, `stty` sets the window's size as
 * a terminal emulator would, which sends SIGWINCH.
 */
export class TerminalCommand {
  readonly #command: RunningCommand;
  readonly #ttyFile: string;

  constructor(home: RktHome, argv: readonly string[], options: CommandOptions = {}) {
    this.#ttyFile = home.path(`tty-${++count}`);
    const inner = `tty > ${this.#ttyFile} && exec ${argv.map(quote).join(' ')}`;
    const script = [
      'script',
      '--quiet',
      '--return',
      '--flush',
      '--echo',
      'never',
      '--command',
      inner,
      '/dev/null',
    ];
    this.#command = home.startArgv(script, { ...options, input: 'open' });
  }

  get finished(): Promise<Finished> {
    return this.#command.finished;
  }

  /** All that the terminal has shown, with line ends as on any other output. */
  get shown(): string {
    return this.#command.stdout.replaceAll('\r\n', '\n');
  }

  type(text: string): void {
    this.#command.stdin.write(text);
  }

  async resize({ rows, columns }: WindowSize): Promise<void> {
    const device = await this.#device();
    await tool('stty', ['-F', device, 'rows', `${rows}`, 'cols', `${columns}`]);
  }

  /** The terminal's settings as `stty -a` prints them: what a command left of them. */
  async settings(): Promise<string> {
    return await tool('stty', ['-F', await this.#device(), '-a']);
  }

  async waitFor(pattern: RegExp): Promise<RegExpExecArray> {
    try {
      return await eventually(`the terminal shows ${pattern}`, () => this.#find(pattern));
    } catch (cause) {
      throw new TestSupportError('TIMEOUT', `no ${pattern} on the terminal, but:\n${this.shown}`, { cause });
    }
  }

  #find(pattern: RegExp): RegExpExecArray | undefined {
    const match = pattern.exec(this.shown);
    if (match === null && this.#command.ended)
      throw new TestSupportError('BAD_OUTPUT', 'the command has ended');
    return match ?? undefined;
  }

  async #device(): Promise<string> {
    return await eventually('the terminal has a name', () => {
      try {
        return /^\/dev\/pts\/\d+$/m.exec(readFileSync(this.#ttyFile, 'utf8'))?.[0];
      } catch {
        return undefined;
      }
    });
  }
}

let count = 0;

function quote(word: string): string {
  return `'${word.replaceAll("'", `'\\''`)}'`;
}
