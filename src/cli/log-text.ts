import type { LogPart, LogSource } from '../stage0/logs.ts';
import { printable } from './printable.ts';

const NEWLINE = Buffer.from('\n');

/** Puts lines of several streams below each other. The bytes of a line are what the app wrote. */
export class LogText {
  /** Whose line has begun and not ended yet. */
  #open: LogSource | undefined;

  /** The app's name before each line. */
  showsApps = false;

  constructor(private readonly timestamps: boolean) {}

  /** What is printed for a part of a line. */
  *line(part: Extract<LogPart, { kind: 'line' }>): Generator<Buffer> {
    const goesOn = this.#open === part.source && !part.isStart;
    if (!goesOn) {
      yield* this.finish();
      const label = this.#label(part);
      if (label !== '') yield Buffer.from(label);
    }
    yield part.bytes;
    this.#open = part.isEnd ? undefined : part.source;
  }

  /** Before something else: a line that was left without a newline gets one. */
  *finish(): Generator<Buffer> {
    if (this.#open !== undefined) yield NEWLINE;
    this.#open = undefined;
  }

  #label({ time, source }: LogPart): string {
    return `${this.timestamps ? `${logTime(time)} ` : ''}${this.showsApps ? `${printable(source.app)}: ` : ''}`;
  }
}

/** RFC 3339 with microseconds. */
export function logTime(microseconds: number): string {
  const [whole, rest] = [Math.floor(microseconds / 1000), microseconds % 1000];
  return new Date(whole).toISOString().replace('Z', `${String(rest).padStart(3, '0')}Z`);
}

/** What is said of bytes that are missing. */
export function gapText({ source, time, lost }: Extract<LogPart, { kind: 'gap' }>): string {
  const where = `app ${source.app}: ${source.stream}`;
  return lost === undefined
    ? `${where}: more was written than is kept, before it was read`
    : `${where}: ${lost} bytes before ${logTime(time)} are missing: they could not be written`;
}
