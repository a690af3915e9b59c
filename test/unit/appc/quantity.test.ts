import { describe, expect, test } from 'vitest';
import { parseQuantity, wholeUnits } from '../../../src/appc/quantity.ts';

describe('quantities', () => {
  test.each([
    ['0', 0],
    ['1', 1],
    ['500m', 1],
    ['1500m', 2],
    ['0.3', 1],
    ['.5', 1],
    ['5.', 5],
    ['0.0001', 1],
    ['1K', 1000],
    ['1k', 1000],
    ['1Ki', 1024],
    ['1.5Ki', 1536],
    ['1e3', 1000],
    ['25e-1', 3],
    ['128974848', 128_974_848],
    ['125952Ki', 128_974_848],
    ['123Mi', 128_974_848],
    ['+2G', 2e9],
    ['1Ti', 2 ** 40],
    ['1E', 1e18],
  ])('%s is %d whole units', (text, whole) => {
    expect(wholeUnits(parseQuantity(text))).toBe(whole);
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
