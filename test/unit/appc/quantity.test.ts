import { describe, expect, test } from 'vitest';
import { milliUnits, parseQuantity, wholeUnits } from '../../../src/appc/quantity.ts';

describe('quantities', () => {
  test.each([
    ['0', 0, 0],
    ['1', 1, 1000],
    ['500m', 1, 500],
    ['1500m', 2, 1500],
    ['0.3', 1, 300],
    ['.5', 1, 500],
    ['5.', 5, 5000],
    ['0.0001', 1, 1],
    ['1K', 1000, 1_000_000],
    ['1k', 1000, 1_000_000],
    ['1Ki', 1024, 1_024_000],
    ['1.5Ki', 1536, 1_536_000],
    ['1e3', 1000, 1_000_000],
    ['25e-1', 3, 2500],
    ['128974848', 128_974_848, 128_974_848_000],
    ['125952Ki', 128_974_848, 128_974_848_000],
    ['123Mi', 128_974_848, 128_974_848_000],
    ['+2G', 2e9, 2e12],
    ['1Ti', 2 ** 40, 2 ** 40 * 1000],
    ['1E', 1e18, 1e21],
  ])('%s is %d whole units, %d thousandths', (text, whole, milli) => {
    const amount = parseQuantity(text);
    expect(wholeUnits(amount)).toBe(whole);
    expect(milliUnits(amount)).toBe(milli);
  });

  test.each([
    '',
    '-1',
    'G',
    '1GB',
    '1 G',
    '1ki',
    '1Mb',
    '0x10',
    '1e',
    '1e3m',
    '1e999',
    '1..2',
    '.',
    'NaN',
    '1\n',
  ])('%j is none', (text) => {
    expect(() => parseQuantity(text)).toThrow(/expected a quantity/);
  });

  test('end at the largest 64-bit number', () => {
    expect(wholeUnits(parseQuantity('999999999999E'))).toBe(Number(2n ** 63n - 1n));
    expect(wholeUnits(parseQuantity('1e99'))).toBe(Number(2n ** 63n - 1n));
  });
});
