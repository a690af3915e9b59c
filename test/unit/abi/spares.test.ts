import { describe, expect, it } from 'vitest';
import { formatSpares, parseSpares } from '../../../src/abi/spares.ts';

describe('how many spares there are to be', () => {
  it.each([
    { count: 1, seconds: 600 },
    { count: 16, seconds: 604_800 },
    { count: 0, seconds: 1 },
  ])('is read as it was written: %j', (kept) => {
    expect(parseSpares(formatSpares(kept))).toEqual(kept);
  });

  it.each([undefined, ''])('is none where nothing is said: %j', (text) => {
    expect(parseSpares(text)).toEqual({ count: 0, seconds: 600 });
  });

  it.each([
    ...['1', ':', '1:', ':600', '17:600', '1:0', '1:604801', '1:9999999', '100:1'],
    ...['-1:600', '1:-5', '1.5:600', '1:6e2', ' 1:600', '1:600\n', '1:600:2', 'one:600'],
  ])('is refused: %j', (text) => {
    expect(() => parseSpares(text)).toThrow(`RKT_SPARES is COUNT:SECONDS, not ${JSON.stringify(text)}`);
  });
});
