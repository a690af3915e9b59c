import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { decodeLogRecord, encodeLogRecord, parseLogSize, segmentNumbers } from '../../../src/abi/log.ts';
import { LogReader } from '../../../src/pod/log-reader.ts';
import type { LogEntry } from '../../../src/pod/log-segment.ts';
import { LogFiles } from './log-files.ts';

const scratch = mkdtempSync(join(tmpdir(), 'rkt-log-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const newLog = () => new LogFiles(mkdtempSync(join(scratch, 'app-')));

function read(files: LogFiles, isFinal = true): LogEntry[] {
  using reader = new LogReader(files, 'stdout');
  return [...reader.read(isFinal)];
}

function textOf(entries: readonly LogEntry[]): string {
  return entries
    .map((entry) => (entry.kind === 'bytes' ? entry.bytes.toString() : `<${entry.lost ?? 'some'} lost>`))
    .join('');
}

describe('a record', () => {
  it.each([
    { kind: 'bytes', time: 1, offset: 0, length: 1 },
    { kind: 'bytes', time: 2 ** 53 - 1, offset: 2 ** 32 - 1, length: 2 ** 31 - 1 },
    { kind: 'gap', time: 1_700_000_000_123_456, offset: 77, length: 12 },
  ] as const)('%j is read as it was written', (record) => {
    const bytes = encodeLogRecord(record);
    expect(decodeLogRecord(new DataView(bytes.buffer), 0)).toEqual(record);
  });

  it('of a larger gap says that it is at least so large', () => {
    const bytes = encodeLogRecord({ kind: 'gap', time: 5, offset: 0, length: 2 ** 40 });
    expect(decodeLogRecord(new DataView(bytes.buffer), 0)).toMatchObject({
      kind: 'gap',
      length: 2 ** 31 - 1,
    });
  });

  it('of zeros is none', () => {
    expect(decodeLogRecord(new DataView(new ArrayBuffer(16)), 0)).toBeUndefined();
  });
});

describe('LogReader', () => {
  it('reads pieces with their times, of all segments', () => {
    const files = newLog().add(10, 'one').add(20, 'two').rotate().add(30, 'three');
    expect(read(files)).toEqual([
      { kind: 'bytes', time: 10, bytes: Buffer.from('one') },
      { kind: 'bytes', time: 20, bytes: Buffer.from('two') },
      { kind: 'bytes', time: 30, bytes: Buffer.from('three') },
    ]);
  });

  it('begins with the oldest that is still there', () => {
    const files = newLog();
    for (let n = 0; n < 4; n++) files.add(n + 1, `${n}`).rotate();
    for (const n of [0, 1]) for (const part of ['data', 'index'] as const) rmSync(files.path(part, n));
    expect(textOf(read(files))).toBe('23');
  });

  it('shows gaps', () => {
    const files = newLog().add(1, 'before ').gap(5, 300).add(6, ' after');
    expect(textOf(read(files))).toBe('before <300 lost> after');
  });

  it('passes bytes on that are no text, in pieces larger than its own', () => {
    const files = newLog();
    const bytes = Buffer.alloc(1_000_000, Buffer.from([0, 255, 10, 128]));
    writeFileSync(files.path('data'), bytes);
    writeFileSync(
      files.path('index'),
      encodeLogRecord({ kind: 'bytes', time: 1, offset: 0, length: bytes.length }),
    );
    const entries = read(files);
    expect(Buffer.concat(entries.flatMap((e) => (e.kind === 'bytes' ? [e.bytes] : []))).equals(bytes)).toBe(
      true,
    );
  });

  it('follows: gives what has come since, across rotation, and nothing twice', () => {
    const files = newLog().add(1, 'a');
    using reader = new LogReader(files, 'stdout');
    const next = () => textOf([...reader.read(false)]);
    expect(next()).toBe('a');
    expect(next()).toBe('');
    files.add(2, 'b').rotate().add(3, 'c');
    expect(next()).toBe('bc');
    // A segment that it has begun stays readable when it is dropped.
    files.add(4, 'd').rotate().add(5, 'e');
    for (const part of ['data', 'index'] as const) rmSync(files.path(part, 1));
    expect(next()).toBe('de');
    expect(next()).toBe('');
  });

  it('says when segments were dropped before it came to them', () => {
    const files = newLog().add(1, 'a');
    using reader = new LogReader(files, 'stdout');
    expect(textOf([...reader.read(false)])).toBe('a');
    for (let n = 1; n < 4; n++) files.rotate().add(n + 1, `${n}`);
    for (const n of [0, 1]) for (const part of ['data', 'index'] as const) rmSync(files.path(part, n));
    expect(textOf([...reader.read(true)])).toBe('<some lost>23');
  });

  it('waits for the record of bytes as long as somebody may write it', () => {
    const files = newLog().add(1, 'a');
    appendFileSync(files.path('data'), 'b');
    using reader = new LogReader(files, 'stdout');
    expect(textOf([...reader.read(false)])).toBe('a');
    expect(textOf([...reader.read(true)])).toBe('b');
    expect(textOf([...reader.read(true)])).toBe('');
  });

  it('finds no log where there is none', () => {
    expect(read(newLog())).toEqual([]);
  });
});

describe('after a crash', () => {
  const whole = () => newLog().add(1, 'first\n').add(2, 'second\n').add(3, 'third\n');
  const text = 'first\nsecond\nthird\n';

  it('with the index cut at any byte, all data is read', () => {
    const size = readFileSync(whole().path('index')).length;
    for (let at = 0; at <= size; at++) {
      const files = whole();
      truncateSync(files.path('index'), at);
      expect(textOf(read(files)), `index of ${at} bytes`).toBe(text);
    }
  });

  it('with the data cut at any byte, what is left is read', () => {
    for (let at = 0; at <= text.length; at++) {
      const files = whole();
      truncateSync(files.path('data'), at);
      expect(textOf(read(files)), `data of ${at} bytes`).toBe(text.slice(0, at));
    }
  });

  it('with zeros where records should be, all data is read', () => {
    const files = whole();
    const size = readFileSync(files.path('index')).length;
    truncateSync(files.path('index'), size - 16);
    truncateSync(files.path('index'), size);
    expect(textOf(read(files))).toBe(text);
  });

  it('with a next segment of which only the data was made, the one before is read', () => {
    const files = whole();
    writeFileSync(files.path('data', 1), '');
    expect(textOf(read(files))).toBe(text);
  });
});

describe('names of segments', () => {
  it('count by their indexes, in the order of numbers', () => {
    const names = [
      'stdout.10.index',
      'stdout.9.index',
      'stdout.9.data',
      'stderr.3.index',
      'stdout.01.index',
      'x',
    ];
    expect(segmentNumbers(names, 'stdout')).toEqual([9, 10]);
  });
});

describe('the size of a log', () => {
  it.each(['131072', '16777216', '4294967296'])('may be %s', (text) => {
    expect(parseLogSize(text)).toBe(Number(text));
  });

  it.each(['', '0', '131071', '4294967297', '1e6', '-1', '16Mi'])('is not %j', (text) => {
    expect(() => parseLogSize(text)).toThrow(
      /coreos\.com\/rkt\/log-size: .* is not 131072 to 4294967296 bytes/,
    );
  });
});
