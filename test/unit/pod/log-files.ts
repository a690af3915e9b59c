import { appendFileSync, constants, existsSync, openSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { encodeLogRecord, type LogStream, segmentName } from '../../../src/abi/log.ts';
import type { LogDirectory } from '../../../src/pod/log-reader.ts';

/** What a supervisor would write, a piece at a time. */
export class LogFiles implements LogDirectory {
  #number = 0;
  #offset = 0;

  constructor(
    readonly directory: string,
    readonly stream: LogStream = 'stdout',
  ) {}

  path(part: 'data' | 'index', number = this.#number): string {
    return join(this.directory, segmentName(this.stream, number, part));
  }

  add(time: number, text: string): this {
    appendFileSync(this.path('data'), text);
    appendFileSync(
      this.path('index'),
      encodeLogRecord({ kind: 'bytes', time, offset: this.#offset, length: Buffer.byteLength(text) }),
    );
    this.#offset += Buffer.byteLength(text);
    return this;
  }

  gap(time: number, length: number): this {
    appendFileSync(this.path('data'), '');
    appendFileSync(this.path('index'), encodeLogRecord({ kind: 'gap', time, offset: this.#offset, length }));
    return this;
  }

  rotate(): this {
    this.#number++;
    this.#offset = 0;
    return this;
  }

  names(): string[] {
    return readdirSync(this.directory);
  }

  open(name: string): number | undefined {
    const path = join(this.directory, name);
    return existsSync(path) ? openSync(path, constants.O_RDONLY) : undefined;
  }
}
