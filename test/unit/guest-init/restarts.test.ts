import { describe, expect, test } from 'vitest';
import { NO_HISTORY, nextRestart, type RestartHistory } from '../../../guest-init/restarts.ts';
import { NO_RESTART } from '../../../src/abi/boot-plan.ts';

const ok = { kind: 'exited', code: 0 } as const;
const failed = { kind: 'exited', code: 7 } as const;
const killed = { kind: 'signaled', signal: 9 } as const;
const always = { policy: 'always', most: null } as const;
const onFailure = { policy: 'on-failure', most: null } as const;

describe('an app is started again', () => {
  test('never, without a policy', () => {
    for (const status of [ok, failed, killed])
      expect(nextRestart(NO_RESTART, NO_HISTORY, status, 0)).toBeUndefined();
  });

  test('on-failure: not when it has done its work', () => {
    expect(nextRestart(onFailure, NO_HISTORY, ok, 0)).toBeUndefined();
    expect(nextRestart(onFailure, NO_HISTORY, failed, 0)).toEqual({ count: 1, delayMs: 100 });
    expect(nextRestart(onFailure, NO_HISTORY, killed, 0)).toEqual({ count: 1, delayMs: 100 });
  });

  test('always: however it ended', () => {
    for (const status of [ok, failed, killed])
      expect(nextRestart(always, NO_HISTORY, status, 0)?.count).toBe(1);
  });

  test('as often as allowed, however long it ran between', () => {
    const twice = { policy: 'on-failure', most: 2 } as const;
    expect(nextRestart(twice, { count: 1, delayMs: 100 }, failed, 60_000)?.count).toBe(2);
    expect(nextRestart(twice, { count: 2, delayMs: 100 }, failed, 60_000)).toBeUndefined();
    expect(nextRestart({ ...twice, most: 0 }, NO_HISTORY, failed, 0)).toBeUndefined();
  });
});

test('it waits twice as long each time, half a minute at most', () => {
  const delays: number[] = [];
  let history: RestartHistory | undefined = NO_HISTORY;
  while (history !== undefined && delays.length < 11) {
    history = nextRestart(always, history, failed, 0);
    delays.push(history?.delayMs ?? -1);
  }
  expect(delays).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000]);
});

test('it waits as at first when it has run for ten seconds', () => {
  expect(nextRestart(always, { count: 9, delayMs: 25_600 }, failed, 9999)).toEqual({
    count: 10,
    delayMs: 30_000,
  });
  expect(nextRestart(always, { count: 9, delayMs: 25_600 }, failed, 10_000)).toEqual({
    count: 10,
    delayMs: 100,
  });
});
