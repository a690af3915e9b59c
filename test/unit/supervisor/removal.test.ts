import { expect, test } from 'vitest';
import { formatRemoval, parseRemoval } from '../../../src/abi/removal.ts';

const removal = {
  mountNamespace: 4,
  networkNamespace: 5,
  command: ['/usr/bin/node', '/bin/rkt', '--dir=/a b'],
};

test('what stage0 writes is what a supervisor reads', () => {
  expect(parseRemoval(formatRemoval(removal))).toEqual(removal);
});

test.each([
  ['', 'RKT_REMOVAL is not JSON'],
  ['[]', 'RKT_REMOVAL'],
  [JSON.stringify({ ...removal, mountNamespace: 1 }), 'an integer from 3'],
  [JSON.stringify({ ...removal, command: [] }), 'RKT_REMOVAL.command: is empty'],
  [JSON.stringify({ ...removal, command: ['a\0b'] }), 'RKT_REMOVAL.command[0]'],
])('%j is refused', (text, message) => {
  expect(() => parseRemoval(text)).toThrow(message);
});
