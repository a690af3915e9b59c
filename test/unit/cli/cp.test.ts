import { expect, test } from 'vitest';
import { parsePlace } from '../../../src/cli/cp.ts';

test.each([
  ['5bd2:/etc', { uuid: '5bd2', path: '/etc' }],
  ['web:relative/path', { uuid: 'web', path: 'relative/path' }],
  ['5bd2:', { uuid: '5bd2', path: '' }],
  ['5bd2:/a:b\nc', { uuid: '5bd2', path: '/a:b\nc' }],
  ['file', 'file'],
  ['/a:b', '/a:b'],
  ['./a:b', './a:b'],
  ['../a:b', '../a:b'],
  ['dir/a:b', 'dir/a:b'],
  [':x', ':x'],
  ['-', '-'],
])('%j', (word, place) => {
  expect(parsePlace(word)).toEqual(place);
});
