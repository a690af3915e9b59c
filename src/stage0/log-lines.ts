import type { LogStream } from '../abi/log.ts';
import type { LogReader } from '../pod/log-reader.ts';
import type { LogEntry } from '../pod/log-segment.ts';

/** Which stream of which app. */
export interface LogSource {
  readonly app: string;
  readonly stream: LogStream;
}

/**
 * A line, or a part of one: what is there of it is not held back until the rest comes. All parts have the time of the line's first
 * byte, in microseconds since 1970.
 */
export interface LinePart {
  readonly kind: 'line';
  readonly source: LogSource;
  readonly time: number;
  /** With its newline, where it has one. */
  readonly bytes: Buffer;
  readonly isStart: boolean;
  readonly isEnd: boolean;
}

/** Bytes that are missing, as in `LogEntry`. */
export interface LineGap {
  readonly kind: 'gap';
  readonly source: LogSource;
  readonly time: number;
  readonly lost: number | undefined;
}

export type LogPart = LinePart | LineGap;

const NEWLINE = 10;

/** Cuts the pieces of one stream into lines. */
export class LineSplitter {
  /** Of the line that has begun and not ended. */
  #time: number | undefined;

  constructor(private readonly source: LogSource) {}

  *split(entry: LogEntry): Generator<LogPart> {
    const { source } = this;
    if (entry.kind === 'gap') {
      // What follows is no part of what was before.
      this.#time = undefined;
      yield { kind: 'gap', source, time: entry.time, lost: entry.lost };
      return;
    }
    const { bytes } = entry;
    for (let at = 0; at < bytes.length; ) {
      const newline = bytes.indexOf(NEWLINE, at);
      const isEnd = newline !== -1;
      const end = isEnd ? newline + 1 : bytes.length;
      const isStart = this.#time === undefined;
      const time = this.#time ?? entry.time;
      this.#time = isEnd ? undefined : time;
      yield { kind: 'line', source, time, bytes: bytes.subarray(at, end), isStart, isEnd };
      at = end;
    }
  }
}

/** A stream's log as lines; what it gives in one pass is what is there then. */
export class LineReader implements Disposable {
  readonly #reader: LogReader;
  readonly #splitter: LineSplitter;

  constructor(
    readonly source: LogSource,
    reader: LogReader,
  ) {
    this.#reader = reader;
    this.#splitter = new LineSplitter(source);
  }

  *read(isFinal: boolean): Generator<LogPart> {
    for (const entry of this.#reader.read(isFinal)) yield* this.#splitter.split(entry);
  }

  [Symbol.dispose](): void {
    this.#reader[Symbol.dispose]();
  }
}

/** All parts in the order of their times; those of a line stay together as long as the rest of it is there. */
export function* merged(streams: readonly Iterator<LogPart>[]): Generator<LogPart> {
  const heads = streams.flatMap((rest) => withHead(rest));
  while (heads.length > 0) {
    const first = heads.reduce((a, b) => (b.head.time < a.head.time ? b : a));
    yield first.head;
    const [next] = withHead(first.rest);
    if (next === undefined) heads.splice(heads.indexOf(first), 1);
    else first.head = next.head;
  }
}

interface Head {
  head: LogPart;
  readonly rest: Iterator<LogPart>;
}

function withHead(rest: Iterator<LogPart>): Head[] {
  const { done, value } = rest.next();
  return done === true ? [] : [{ head: value, rest }];
}

/** More than are asked for are kept only up to here: lines are small, and many. */
const SURPLUS = 1024;

/** The last so many lines of all, with what is missing between them. */
export function lastLines(parts: Iterable<LogPart>, count: number): LogPart[] {
  let kept: LogPart[] = [];
  let lines = 0;
  for (const part of parts) {
    kept.push(part);
    lines += isStart(part) ? 1 : 0;
    if (lines < 2 * count + SURPLUS) continue;
    kept = fromLast(kept, count);
    lines = count;
  }
  return fromLast(kept, count);
}

function fromLast(parts: LogPart[], count: number): LogPart[] {
  if (count === 0) return [];
  let lines = 0;
  const start = parts.findLastIndex((part) => isStart(part) && ++lines === count);
  return start === -1 ? parts : parts.slice(start);
}

function isStart(part: LogPart): boolean {
  return part.kind === 'line' && part.isStart;
}
