import { closeSync, fstatSync, readSync } from 'node:fs';
import { decodeLogRecord, LOG_RECORD_BYTES, type LogRecord } from '../abi/log.ts';

/** A piece of an app's output, or of what is missing of it. `time` is in microseconds since 1970. */
export type LogEntry =
  | { readonly kind: 'bytes'; readonly time: number; readonly bytes: Buffer }
  /** Bytes that are missing: the log could not be written; undefined: it was not read before it was dropped. */
  | { readonly kind: 'gap'; readonly time: number; readonly lost: number | undefined };

const INDEX_CHUNK = 4096 * LOG_RECORD_BYTES;
const DATA_CHUNK = 262144;

/** A segment of a log, read while it may still be written, by us who hold it open, even after it has been dropped. */
export class SegmentReader implements Disposable {
  readonly #index: number;
  readonly #data: number;
  #indexAt = 0;
  /** Where the records so far end in the data, and the time of the last. */
  #end = 0;
  #time = 0;
  #window = Buffer.alloc(0);
  #windowAt = 0;

  /** Takes the fds over. */
  constructor(
    readonly number: number,
    index: number,
    data: number,
  ) {
    this.#index = index;
    this.#data = data;
  }

  get time(): number {
    return this.#time;
  }

  /**
   * What is there now and was not read before. With `isFinal`, whoever wrote it is gone: bytes that it had no time to record are
   * read as well. Whatever a crash has left of index and data, what is given is there.
   */
  *read(isFinal: boolean): Generator<LogEntry> {
    for (let records = this.#records(); records.length > 0; records = this.#records()) {
      // After the index: bytes are there before their record is.
      const { size } = fstatSync(this.#data);
      for (const record of records) yield* this.#entry(record, size);
    }
    if (!isFinal) return;
    const { size, mtimeMs } = fstatSync(this.#data);
    const time = Math.max(this.#time, Math.floor(mtimeMs * 1000));
    yield* this.#bytes(this.#end, size - this.#end, time);
    this.#end = Math.max(this.#end, size);
  }

  [Symbol.dispose](): void {
    closeSync(this.#index);
    closeSync(this.#data);
  }

  #records(): LogRecord[] {
    const chunk = Buffer.alloc(INDEX_CHUNK);
    const read = readSync(this.#index, chunk, 0, chunk.length, this.#indexAt);
    const whole = read - (read % LOG_RECORD_BYTES);
    this.#indexAt += whole;
    const view = new DataView(chunk.buffer, chunk.byteOffset, whole);
    return Array.from({ length: whole / LOG_RECORD_BYTES }, (_, n) =>
      decodeLogRecord(view, n * LOG_RECORD_BYTES),
    ).filter((record) => record !== undefined);
  }

  *#entry({ kind, time, offset, length }: LogRecord, size: number): Generator<LogEntry> {
    this.#time = Math.max(this.#time, time);
    if (kind === 'gap') {
      yield { kind, time, lost: length };
      return;
    }
    this.#end = Math.max(this.#end, offset + length);
    yield* this.#bytes(offset, Math.min(length, size - offset), time);
  }

  *#bytes(offset: number, length: number, time: number): Generator<LogEntry> {
    for (let at = 0; at < length; ) {
      const bytes = this.#at(offset + at, Math.min(length - at, DATA_CHUNK));
      if (bytes.length === 0) return;
      yield { kind: 'bytes', time, bytes };
      at += bytes.length;
    }
  }

  /** So many bytes, fewer only at the file's end. They stay as they are: a window is not filled twice. */
  #at(offset: number, length: number): Buffer {
    const start = offset - this.#windowAt;
    if (start >= 0 && start + length <= this.#window.length)
      return this.#window.subarray(start, start + length);
    const window = Buffer.alloc(DATA_CHUNK);
    this.#window = window.subarray(0, readSync(this.#data, window, 0, window.length, offset));
    this.#windowAt = offset;
    return this.#window.subarray(0, length);
  }
}
