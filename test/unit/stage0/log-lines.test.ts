import { describe, expect, it } from 'vitest';
import { gapText, LogText, logTime } from '../../../src/cli/log-text.ts';
import type { LogEntry } from '../../../src/pod/log-segment.ts';
import {
  LineSplitter,
  type LogPart,
  type LogSource,
  lastLines,
  merged,
} from '../../../src/stage0/log-lines.ts';

const OUT: LogSource = { app: 'web', stream: 'stdout' };
const ERR: LogSource = { app: 'web', stream: 'stderr' };
const DB: LogSource = { app: 'db', stream: 'stdout' };

const bytes = (time: number, text: string): LogEntry => ({ kind: 'bytes', time, bytes: Buffer.from(text) });

function lines(source: LogSource, ...entries: readonly LogEntry[]): LogPart[] {
  const splitter = new LineSplitter(source);
  return entries.flatMap((entry) => [...splitter.split(entry)]);
}

function printed(parts: Iterable<LogPart>, { timestamps = false, showsApps = false } = {}): string {
  const text = new LogText(timestamps);
  text.showsApps = showsApps;
  return [...parts]
    .flatMap((part) =>
      part.kind === 'line' ? [...text.line(part)] : [...text.finish(), `<${gapText(part)}>\n`],
    )
    .join('');
}

const together = (...streams: readonly LogPart[][]) => [...merged(streams.map((parts) => parts.values()))];

describe('lines', () => {
  it('have the time of their first byte, over however many pieces', () => {
    const parts = lines(OUT, bytes(1, 'a\nb'), bytes(2, 'c'), bytes(3, 'd\ne\n'));
    expect(
      parts.map((part) => part.kind === 'line' && [part.time, part.bytes.toString(), part.isStart]),
    ).toEqual([
      [1, 'a\n', true],
      [1, 'b', true],
      [1, 'c', false],
      [1, 'd\n', false],
      [3, 'e\n', true],
    ]);
  });

  it.each(['', 'no newline', 'one\ntwo', '\n\n\n', 'a\r\nb\0c\xff\n', 'x'.repeat(70_000)])(
    'of one stream are printed as they are: %j',
    (text) => {
      expect(printed(lines(OUT, bytes(1, text.slice(0, 3)), bytes(2, text.slice(3))))).toBe(text);
    },
  );

  it('of several streams come in the order of their times, each whole', () => {
    const out = lines(OUT, bytes(1, 'one '), bytes(5, 'line\n'), bytes(6, 'last\n'));
    const err = lines(ERR, bytes(3, 'error\n'), bytes(7, 'late\n'));
    expect(printed(together(out, err))).toBe('one line\nerror\nlast\nlate\n');
  });

  it('without a newline get one when another follows', () => {
    const [out, err] = [lines(OUT, bytes(1, 'prompt: ')), lines(ERR, bytes(2, 'error'))];
    expect(printed(together(out, err))).toBe('prompt: \nerror');
  });

  it('that go on after another was shown are labelled again', () => {
    const splitter = new LineSplitter(OUT);
    const first = [...splitter.split(bytes(1_000_000, 'half '))];
    const rest = [...splitter.split(bytes(3_000_000, 'whole\n'))];
    const shown = [...first, ...lines(DB, bytes(2_000_000, 'other\n')), ...rest];
    expect(printed(shown, { timestamps: true, showsApps: true })).toBe(
      '1970-01-01T00:00:01.000000Z web: half \n' +
        '1970-01-01T00:00:02.000000Z db: other\n' +
        '1970-01-01T00:00:01.000000Z web: whole\n',
    );
  });

  it('end where bytes are missing', () => {
    const parts = lines(OUT, bytes(1, 'cut'), { kind: 'gap', time: 2_000_000, lost: 12 }, bytes(3, 'off\n'));
    expect(printed(parts)).toBe(
      'cut\n<app web: stdout: 12 bytes before 1970-01-01T00:00:02.000000Z are missing: they could not be written>\noff\n',
    );
  });
});

describe('the last lines', () => {
  const numbered = (count: number) =>
    lines(
      OUT,
      ...Array.from({ length: count }, (_, n) => bytes(n + 1, `${n}-`)),
      bytes(count + 1, '\n'),
    ).concat(lines(OUT, ...Array.from({ length: count }, (_, n) => bytes(count + n + 2, `line ${n}\n`))));

  it.each([
    [0, ''],
    [1, 'line 4\n'],
    [2, 'line 3\nline 4\n'],
    [100, '0-1-2-3-4-\nline 0\nline 1\nline 2\nline 3\nline 4\n'],
  ])('%i of six', (count, text) => {
    expect(printed(lastLines(numbered(5), count))).toBe(text);
  });

  it('of very many, without keeping them', () => {
    expect(printed(lastLines(numbered(10_000), 3))).toBe('line 9997\nline 9998\nline 9999\n');
  });
});

describe('times', () => {
  it('are shown with microseconds', () => {
    expect(logTime(1_700_000_000_000_042)).toBe('2023-11-14T22:13:20.000042Z');
  });
});
