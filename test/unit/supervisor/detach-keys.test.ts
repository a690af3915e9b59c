import { expect, it } from 'vitest';
import { DetachKeys } from '../../../src/supervisor/detach-keys.ts';

/** What reaches the app of what is typed in pieces, and whether it detaches. */
function type(keys: string, ...pieces: readonly string[]): string {
  const detach = new DetachKeys(Buffer.from(keys));
  let text = '';
  for (const piece of pieces) {
    const { forApp, detached } = detach.typed(Buffer.from(piece));
    text += Buffer.from(forApp).toString();
    if (detached) return `${text}!`;
  }
  return text;
}

it.each([
  ['other keys are the app’s', 'pq', ['abc'], 'abc'],
  ['the sequence detaches', 'pq', ['abpqcd'], 'ab!'],
  ['in pieces, too', 'pq', ['ap', 'q'], 'a!'],
  ['its beginning is the app’s once it is not gone on with', 'pq', ['p', 'x'], 'px'],
  ['and may be the beginning again', 'pq', ['pp', 'q'], 'p!'],
  ['its end alone is a key like any other', 'pq', ['qqp'], 'qq'],
  ['one key can be all', 'd', ['abcd'], 'abc!'],
  ['without a sequence nothing detaches', '', ['pq'], 'pq'],
])('%s', (_, keys, pieces, expected) => {
  expect(type(keys, ...pieces)).toBe(expected);
});
