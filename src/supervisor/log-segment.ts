import {
  encodeLogRecord,
  LOG_RECORD_BYTES,
  type LogRecord,
  type LogStream,
  segmentName,
} from '../abi/log.ts';
import { SystemError } from '../native/errors.ts';
import { close, open, open_, truncate, writeAt } from '../native/files.ts';
import { chmod } from '../native/paths.ts';
import { spliceAt } from '../native/pipes.ts';
import { fstat } from '../native/stat.ts';

const MODE = 0o640;

/**
 * The segment of a log that is written. Bytes go in before their record: whatever kills us, a reader finds no record of bytes that
 * are not there. What has no record is overwritten by what comes next.
 */
export class LogSegment {
  readonly #data: number;
  readonly #index: number;
  #dataBytes: number;
  #indexBytes: number;

  /** Makes it, or goes on with one that is there. */
  constructor(directory: string, stream: LogStream, number: number) {
    // The index comes last: where it is, the data is.
    this.#data = openToWrite(`${directory}/${segmentName(stream, number, 'data')}`);
    try {
      this.#index = openToWrite(`${directory}/${segmentName(stream, number, 'index')}`);
    } catch (error) {
      close(this.#data);
      throw error;
    }
    this.#dataBytes = fstat(this.#data).size;
    this.#indexBytes = wholeRecords(fstat(this.#index).size);
  }

  get bytes(): number {
    return this.#dataBytes + this.#indexBytes;
  }

  /** Adds the first bytes of a pipe, `length` at most, all or none. @throws SystemError; then some of them may have left the pipe */
  add(pipe: number, length: number, time: number): void {
    const offset = this.#dataBytes;
    try {
      const moved = this.#move(pipe, length);
      if (moved === 0) return;
      this.#record({ kind: 'bytes', time, offset, length: moved });
      this.#dataBytes += moved;
    } catch (error) {
      // Gives back what a full file system may want for something else.
      if (error instanceof SystemError) truncate(this.#data, offset);
      throw error;
    }
  }

  /** Notes that bytes are missing here. @throws SystemError */
  gap(length: number, time: number): void {
    this.#record({ kind: 'gap', time, offset: this.#dataBytes, length });
  }

  close(): void {
    close(this.#data);
    close(this.#index);
  }

  #move(pipe: number, length: number): number {
    let moved = 0;
    for (let last = 1; moved < length && last > 0; moved += last)
      last = spliceAt(pipe, this.#data, this.#dataBytes + moved, length - moved) ?? 0;
    return moved;
  }

  #record(record: LogRecord): void {
    writeAt(this.#index, encodeLogRecord(record), this.#indexBytes);
    this.#indexBytes += LOG_RECORD_BYTES;
  }
}

function openToWrite(path: string): number {
  const fd = open(path, open_.writeOnly | open_.create | open_.noFollow, MODE);
  // The umask may have cut the mode.
  chmod(fd, MODE);
  return fd;
}

function wholeRecords(bytes: number): number {
  return bytes - (bytes % LOG_RECORD_BYTES);
}
