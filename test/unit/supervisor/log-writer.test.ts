import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeLogRecord, LOG_RECORD_BYTES, type LogRecord } from '../../../src/abi/log.ts';
import type { SystemError } from '../../../src/native/errors.ts';
import { writeAll } from '../../../src/native/files.ts';
import { getLimit, setLimit } from '../../../src/native/limits.ts';
import { bytesIn, openPipe } from '../../../src/native/pipes.ts';
import { setDisposition } from '../../../src/native/signals.ts';
import { LogClock } from '../../../src/supervisor/log-clock.ts';
import { LogWriter } from '../../../src/supervisor/log-writer.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

const scratch = nativeScratch();
const KEPT = 4096;

function newLog(bytes = KEPT) {
  const directory = join(mkdtempSync(join(scratch, 'log-')), 'logs', 'app');
  const refusals: string[] = [];
  const refused = ({ code }: SystemError) => void refusals.push(code);
  const settings = { bytes, clock: new LogClock(), refused };
  const open = () => new LogWriter(directory, 'stdout', settings);
  const pipe = openPipe({ nonBlocking: true });
  const write = (log: LogWriter, text: string) => {
    writeAll(pipe.write, Buffer.from(text));
    log.take(pipe.read);
    expect(bytesIn(pipe.read)).toBe(0);
  };
  return { directory, refusals, open, write, data: (n: number) => join(directory, `stdout.${n}.data`) };
}

/** Files may not grow over so many bytes: a write that would is cut at first, as on a file system that fills up. */
function withFilesOf(bytes: number, action: () => void): void {
  // Node ignores it from the start; other files of this worker may have put it back.
  setDisposition('SIGXFSZ', 'ignore');
  const before = getLimit('fsize');
  setLimit('fsize', { ...before, soft: bytes });
  try {
    action();
  } finally {
    setLimit('fsize', before);
  }
}

function recordsOf(directory: string, number: number): LogRecord[] {
  const bytes = readFileSync(join(directory, `stdout.${number}.index`));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  expect(bytes.length % LOG_RECORD_BYTES).toBe(0);
  return Array.from({ length: bytes.length / LOG_RECORD_BYTES }, (_, n) => {
    const record = decodeLogRecord(view, n * LOG_RECORD_BYTES);
    if (record === undefined) throw new Error('no record');
    return record;
  });
}

describe('LogWriter', () => {
  it('makes nothing before there is something to keep', () => {
    const { directory, open } = newLog();
    open().close();
    expect(() => statSync(directory)).toThrow(/ENOENT/);
  });

  it('records each piece, with times that only grow', () => {
    const { directory, open, write, data } = newLog();
    const log = open();
    const before = Date.now() * 1000;
    for (const text of ['one\n', 'two\n', 'three']) write(log, text);
    log.close();
    expect(readFileSync(data(0), 'utf8')).toBe('one\ntwo\nthree');
    const records = recordsOf(directory, 0);
    expect(records).toMatchObject([
      { kind: 'bytes', offset: 0, length: 4 },
      { kind: 'bytes', offset: 4, length: 4 },
      { kind: 'bytes', offset: 8, length: 5 },
    ]);
    const times = records.map(({ time }) => time);
    expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
    expect(times[0]).toBeGreaterThanOrEqual(before);
  });

  it('is for root and the group of the pod to read', () => {
    const { directory, open, write, data } = newLog();
    const mask = process.umask(0o077);
    write(open(), 'x');
    process.umask(mask);
    expect(statSync(directory).mode & 0o777).toBe(0o750);
    expect(statSync(data(0)).mode & 0o777).toBe(0o640);
  });

  it('begins a new segment when one is full, and keeps two', () => {
    const { directory, open, write, data } = newLog();
    const log = open();
    for (let n = 0; n < 50; n++) write(log, String(n).padStart(400, '.'));
    log.close();
    const names = readdirSync(directory).sort();
    expect(names).toEqual(['stdout.8.data', 'stdout.8.index', 'stdout.9.data', 'stdout.9.index']);
    const kept = [8, 9].map((n) => readFileSync(data(n), 'utf8')).join('');
    expect(kept).toMatch(/\.49$/);
    // One piece may go over what a segment holds.
    const bytes = names.reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
    expect(bytes).toBeLessThanOrEqual(KEPT + 2 * 416);
  });

  it('goes on where the log of an app that is started again ended', () => {
    const { directory, open, write, data } = newLog();
    for (const text of ['first\n', 'second\n']) {
      const log = open();
      write(log, text);
      log.close();
    }
    expect(readFileSync(data(0), 'utf8')).toBe('first\nsecond\n');
    expect(recordsOf(directory, 0)).toMatchObject([
      { offset: 0, length: 6 },
      { offset: 6, length: 7 },
    ]);
  });

  it('drops what it cannot keep, says so, and notes the gap when it ends', () => {
    const { directory, refusals, open, write, data } = newLog();
    const log = open();
    write(log, 'kept');
    // The file of a full file system is played by one that cannot be: its directory is gone when it rotates.
    write(log, '.'.repeat(KEPT));
    rmSync(directory, { recursive: true });
    write(log, 'lost');
    write(log, 'lost as well');
    expect(refusals).toEqual(['ENOENT']);
    log.close();
    expect(refusals).toEqual(['ENOENT', 'ENOENT']);
    expect(() => statSync(data(1))).toThrow(/ENOENT/);
  });

  it('leaves no bytes of a piece that could not be kept whole', () => {
    const { directory, refusals, open, write, data } = newLog(1024 * 1024);
    const log = open();
    write(log, 'kept');
    withFilesOf(10, () => write(log, 'x'.repeat(64)));
    expect(refusals).toEqual(['EFBIG']);
    expect(readFileSync(data(0), 'utf8')).toBe('kept');
    log.close();
    expect(recordsOf(directory, 0)).toMatchObject([
      { kind: 'bytes' },
      { kind: 'gap', offset: 4, length: 64 },
    ]);
  });

  it('goes on behind bytes that a crash has left without a record', () => {
    const { directory, open, write, data } = newLog();
    const log = open();
    write(log, 'one');
    log.close();
    truncateSync(join(directory, 'stdout.0.index'), LOG_RECORD_BYTES - 3);
    const again = open();
    write(again, 'two');
    again.close();
    expect(readFileSync(data(0), 'utf8')).toBe('onetwo');
    expect(recordsOf(directory, 0)).toMatchObject([{ offset: 3, length: 3 }]);
  });
});
