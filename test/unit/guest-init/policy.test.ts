import { describe, expect, test } from 'vitest';
import { allOver, allReady, endsPod, exitStatus } from '../../../guest-init/policy.ts';

describe('an app’s end', () => {
  test('with 0 is its own affair', () => {
    expect(endsPod({ kind: 'exited', code: 0 })).toBe(false);
  });
  test('with anything else is the pod’s', () => {
    expect(endsPod({ kind: 'exited', code: 1 })).toBe(true);
    expect(endsPod({ kind: 'signaled', signal: 15 })).toBe(true);
  });
  test('is told in the words of the protocol', () => {
    expect(exitStatus({ kind: 'exited', code: 3 })).toEqual({ kind: 'exited', code: 3 });
    expect(exitStatus({ kind: 'signalled', signal: 9, dumped: true })).toEqual({
      kind: 'signaled',
      signal: 9,
    });
  });
});

test('apps start when the last one is ready', () => {
  expect(allReady(['ready', 'preparing'])).toBe(false);
  expect(allReady(['ready', 'failed'])).toBe(true);
  expect(allReady(['ready', 'ready'])).toBe(true);
});

test('a pod is over when none of its apps can run any more', () => {
  expect(allOver([])).toBe(true);
  expect(allOver(['ended', 'failed', 'dropped'])).toBe(true);
  for (const alive of ['preparing', 'ready', 'starting', 'running', 'resting'] as const)
    expect(allOver(['ended', alive])).toBe(false);
});
