import { LOG_SEGMENTS, type LogStream, segmentName, segmentNumbers } from '../abi/log.ts';
import { monotonicMilliseconds } from '../native/clock.ts';
import { readdir } from '../native/directories.ts';
import { SystemError, unless } from '../native/errors.ts';
import { chmod, mkdirAll, unlink } from '../native/paths.ts';
import { bytesIn, emptyPipe } from '../native/pipes.ts';
import type { LogClock } from './log-clock.ts';
import { LogSegment } from './log-segment.ts';

const DIRECTORY_MODE = 0o2750;
/** After a refusal the file system is left alone for so long. */
const RETRY_MS = 1000;
/** By how much a segment may be too large. */
const OVER_BYTES = 65536;

export interface LogSettings {
  /** What is kept of each stream, data and index together. */
  readonly bytes: number;
  readonly clock: LogClock;
  /** Told when something cannot be kept, and why. */
  refused(error: SystemError): void;
}

/**
 * The log of one stream of an app. It takes all it is given: what cannot be kept, because the file system is full or broken, is
 * dropped and leaves a gap in the index. An app goes on without its log.
 */
export class LogWriter {
  readonly #directory: string;
  readonly #stream: LogStream;
  readonly #settings: LogSettings;
  #segment: LogSegment | undefined;
  #number: number | undefined;
  #lost = 0;
  #retryAt = 0;

  /** Nothing is made before there is something to keep. */
  constructor(directory: string, stream: LogStream, settings: LogSettings) {
    this.#directory = directory;
    this.#stream = stream;
    this.#settings = settings;
  }

  /** Takes all that a pipe holds out of it. */
  take(pipe: number): void {
    const length = bytesIn(pipe);
    if (this.#lost > 0 && monotonicMilliseconds() < this.#retryAt) {
      this.#lose(pipe, length);
      return;
    }
    // A pipe may hold more than there is room for in a segment.
    for (let left = length; left > 0; ) {
      const piece = Math.min(left, this.#room());
      this.#trying(pipe, left, () => this.#keep(pipe, piece));
      if (this.#lost > 0) return;
      left -= piece;
    }
  }

  close(): void {
    if (this.#lost > 0) this.#trying(undefined, 0, () => this.#current());
    this.#segment?.close();
    this.#segment = undefined;
  }

  /** Bytes that the next piece may have: large ones cost no more than small ones. */
  #room(): number {
    const room = this.#segment === undefined ? 0 : this.#segmentBytes - this.#segment.bytes;
    return Math.max(OVER_BYTES, Math.floor(room));
  }

  get #segmentBytes(): number {
    return this.#settings.bytes / LOG_SEGMENTS;
  }

  #keep(pipe: number, length: number): void {
    this.#current().add(pipe, length, this.#settings.clock.now());
  }

  #trying(pipe: number | undefined, length: number, action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof SystemError)) throw error;
      // A piece is kept whole or not at all, whatever part of it has left the pipe.
      if (pipe !== undefined) this.#lose(pipe, length);
      this.#retryAt = monotonicMilliseconds() + RETRY_MS;
      this.#settings.refused(error);
    }
  }

  #lose(pipe: number, length: number): void {
    emptyPipe(pipe);
    this.#lost += length;
  }

  /** The segment that is written, with a gap noted where one is due. */
  #current(): LogSegment {
    if (this.#segment === undefined || this.#segment.bytes >= this.#segmentBytes)
      this.#segment = this.#next();
    if (this.#lost > 0) {
      this.#segment.gap(this.#lost, this.#settings.clock.now());
      this.#lost = 0;
    }
    return this.#segment;
  }

  /** The first time, the last segment that is there: of an app that was started before. */
  #next(): LogSegment {
    const number = this.#number === undefined ? this.#last() : this.#number + 1;
    // The oldest goes first: on a full file system its space is what the next one has.
    const oldest = number - LOG_SEGMENTS;
    for (const part of ['index', 'data'] as const)
      unless(['ENOENT'], () => unlink(`${this.#directory}/${segmentName(this.#stream, oldest, part)}`));
    const segment = new LogSegment(this.#directory, this.#stream, number);
    this.#segment?.close();
    this.#number = number;
    return segment;
  }

  #last(): number {
    mkdirAll(this.#directory, DIRECTORY_MODE);
    // The umask may have cut the mode.
    chmod(this.#directory, DIRECTORY_MODE);
    return segmentNumbers(readdir(this.#directory), this.#stream).at(-1) ?? 0;
  }
}
