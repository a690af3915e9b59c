import { describe, expect, it } from 'vitest';
import { printable, printableLines } from '../../../src/supervisor/printable.ts';
import { RateLimit } from '../../../src/supervisor/rate.ts';
import { TextRing } from '../../../src/supervisor/text-ring.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

nativeScratch();

describe('printable', () => {
  it.each([
    ['plain text', 'plain text'],
    ['\x1b[2Jgone\x1b]0;title\x07', '[2Jgone ]0;title'],
    ['one\nrun: forged', 'one run: forged'],
    ['\u009b31mred', '31mred'],
    ['tab\tstays', 'tab\tstays'],
    ['gnp.\u202emalware\u2028exe', 'gnp. malware exe'],
  ])('%j', (from, to) => {
    expect(printable(from)).toBe(to);
  });

  it('keeps lines apart', () => {
    expect(printableLines('a\r\n\nb\x1bc\n')).toEqual(['a', 'b c']);
  });
});

describe('TextRing', () => {
  it('keeps the end, however it comes', () => {
    const ring = new TextRing(100);
    for (let n = 0; n < 5000; n++) ring.add(Buffer.from(`line ${n}\n`));
    expect(ring.lastLines(3)).toEqual(['line 4997', 'line 4998', 'line 4999']);
    expect(ring.lastLines(100).join('\n').length).toBeLessThanOrEqual(100);
  });

  it('has nothing to say at first', () => {
    expect(new TextRing(10).lastLines(5)).toEqual([]);
  });
});

describe('RateLimit', () => {
  it('allows a burst, then as much as time earns', () => {
    const limit = new RateLimit(3, 10, 0);
    expect([0, 0, 0, 0].map((now) => limit.take(now))).toEqual([true, true, true, false]);
    expect([100, 100, 10_000, 10_000, 10_000, 10_000].map((now) => limit.take(now))).toEqual([
      true,
      false,
      true,
      true,
      true,
      false,
    ]);
  });
});
