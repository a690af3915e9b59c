import { expect, test } from 'vitest';
import { quotation } from '../../../src/appc/quotation.ts';

test.each([
  ['plain', '"plain"'],
  ['line\nbreak', '"line\\nbreak"'],
  ['\u001b[31m\u007f\u009b31m', '"\\u001b[31m\\u007f\\u009b31m"'],
  ['a\u2028b\u202ec\u2066d', '"a\\u2028b\\u202ec\\u2066d"'],
  ['caf\u00e9 \u65e5', '"caf\u00e9 \u65e5"'],
  [{ key: ['\u0085'] }, '{"key":["\\u0085"]}'],
  [undefined, 'undefined'],
])('%j is shown as %s', (value, shown) => {
  expect(quotation(value)).toBe(shown);
});
