import { expect, test } from 'vitest';
import { parsePodUUID } from '../../../src/appc/uuid.ts';
import type { PodRecord } from '../../../src/pod/record.ts';
import { FILTER_KEYS, parsePodFilter } from '../../../src/stage0/pod-filter.ts';

const app = {
  name: 'front',
  state: 'running',
  imageId: `sha512-${'ab'.repeat(32)}`,
  imageName: 'example.com/web:1.0',
  userLabels: { tier: 'front' },
} as const;
const pod: PodRecord = {
  uuid: parsePodUUID('0b0d2959-9139-48be-a7c5-19a1213c70d6'),
  state: 'running',
  podName: 'web',
  isReady: true,
  isPaused: false,
  userLabels: { team: 'blue', empty: '' },
  apps: [app],
};
const passes = (...filters: string[]) => parsePodFilter(filters)(pod);

test.each([
  ['state=running', true],
  ['state=exited', false],
  ['name=web', true],
  ['name=we', false],
  ['app=front', true],
  ['app=web', false],
  ['image=example.com/web', true],
  ['image=example.com/web:1.0', true],
  ['image=example.com/web:1', false],
  ['image=example.com/we', false],
  ['image=sha512-abab', true],
  ['image=sha512-cd', false],
  ['label=team', true],
  ['label=team=blue', true],
  ['label=team=red', false],
  ['label=tier=front', true],
  ['label=empty=', true],
  ['label=toString', false],
])('%s: %s', (filter, expected) => {
  expect(passes(filter)).toBe(expected);
});

test('one value of a key is enough, every key has to be met', () => {
  expect(passes()).toBe(true);
  expect(passes('state=exited', 'state=running')).toBe(true);
  expect(passes('state=running', 'name=other')).toBe(false);
  expect(passes('label=team=blue', 'label=none', 'name=web')).toBe(true);
});

test.each(['state', 'state=', '=x', 'uuid=0b0d', 'constructor=x'])('%j is refused', (filter) => {
  expect(() => passes(filter)).toThrow(`${JSON.stringify(filter)} is not KEY=VALUE`);
  expect(() => passes(filter)).toThrow(FILTER_KEYS.join(', '));
});
