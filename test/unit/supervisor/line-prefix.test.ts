import { describe, expect, it } from 'vitest';
import { LinePrefix, lineLabel } from '../../../src/supervisor/line-prefix.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

nativeScratch();

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString();

describe('LinePrefix', () => {
  it.each([
    ['whole lines', ['one\ntwo\n'], '> one\n> two\n'],
    ['lines in pieces', ['o', 'ne\nt', 'wo\n'], '> one\n> two\n'],
    ['a last line without its newline', ['one\ntwo'], '> one\n> two\n'],
    ['empty lines', ['\n\n'], '> \n> \n'],
    ['nothing', [], ''],
    ['carriage returns as they are', ['a\rb\r\n'], '> a\rb\r\n'],
  ])('labels %s', (_, pieces, expected) => {
    const prefix = new LinePrefix(() => '> ');
    const out = pieces.map((piece) => text(prefix.add(Buffer.from(piece)))).join('');
    expect(out + text(prefix.end())).toBe(expected);
  });

  it('asks for the label at each line', () => {
    let line = 0;
    const prefix = new LinePrefix(() => `${++line} `);
    expect(text(prefix.add(Buffer.from('a\nb\n')))).toBe('1 a\n2 b\n');
  });

  it('cuts a line that does not end', () => {
    const prefix = new LinePrefix(() => '> ');
    const out = prefix.add(Buffer.alloc(40_000, 'x'));
    expect(text(out)).toBe(`> ${'x'.repeat(16384)}\n`.repeat(2));
    expect(prefix.end().length).toBe(2 + 40_000 - 2 * 16384 + 1);
  });

  it('does not cut twice at the end of a line that just fits', () => {
    const prefix = new LinePrefix(() => '');
    expect(prefix.add(Buffer.from(`${'x'.repeat(16384)}\ny\n`)).length).toBe(16384 + 1 + 2);
  });
});

describe('lineLabel', () => {
  it.each([
    [1515218.4, 'web', 123, '[ 1515.218] web[123]: '],
    [4, 'db', 7, '[    0.004] db[7]: '],
    [123456789, 'db', undefined, '[123456.789] db: '],
  ])('shows %d ms of %s', (milliseconds, app, pid, label) => {
    expect(lineLabel(milliseconds, app, pid)).toBe(label);
  });
});
