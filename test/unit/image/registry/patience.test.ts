import { expect, test } from 'vitest';
import { ImageError, type ImageErrorCode } from '../../../../src/image/error.ts';
import { systemClock } from '../../../../src/image/registry/clock.ts';
import { MOST_TRIES, type Patience, persist } from '../../../../src/image/registry/patience.ts';
import { Refusal } from '../../../../src/image/registry/refusal.ts';
import { TestClock } from '../../../support/scripted-registry.ts';

/** Fails so often, then succeeds. */
function failing(times: number, error: Error) {
  let tries = 0;
  const attempt = async () => {
    if (tries++ < times) throw error;
    return 'answer';
  };
  return { attempt, tries: () => tries };
}

function patience(more: Partial<Patience> = {}): Patience & { readonly clock: TestClock } {
  const clock = new TestClock();
  return { signal: undefined, report: undefined, tries: MOST_TRIES, reconnect: true, ...more, clock };
}

const refused = (code: ImageErrorCode, seconds?: number) =>
  new Refusal(code, 'refused', seconds === undefined ? undefined : seconds * 1000);

test('a server that fails is tried five times, after pauses that double', async () => {
  const once = patience();
  expect(await persist('x', failing(4, refused('server')).attempt, once)).toBe('answer');
  expect(once.clock.pauses).toEqual([500, 1000, 2000, 4000]);
  const error = refused('server');
  const never = failing(9, error);
  await expect(persist('x', never.attempt, patience())).rejects.toBe(error);
  expect(never.tries()).toBe(5);
});

test('pauses differ by up to a half, so that clients come apart', async () => {
  const clock = Object.assign(new TestClock(), { random: () => 0 });
  await persist('x', failing(2, refused('server')).attempt, { ...patience(), clock });
  expect(clock.pauses).toEqual([250, 500]);
});

test('a broken connection is tried again, unless somebody else does', async () => {
  const error = new ImageError('network', 'broken');
  expect(await persist('x', failing(4, error).attempt, patience())).toBe('answer');
  const alone = failing(1, error);
  await expect(persist('x', alone.attempt, patience({ reconnect: false }))).rejects.toBe(error);
  expect(alone.tries()).toBe(1);
});

test('a server with too many requests is asked when it says, for five minutes in all', async () => {
  const told = patience();
  expect(await persist('x', failing(3, refused('rate-limited', 90)).attempt, told)).toBe('answer');
  expect(told.clock.pauses).toEqual([90_000, 90_000, 90_000]);
  const longer = patience();
  await expect(persist('x', failing(4, refused('rate-limited', 90)).attempt, longer)).rejects.toThrow(
    'refused',
  );
  expect(longer.clock.pauses).toHaveLength(3);
  const tomorrow = patience();
  await expect(persist('x', failing(1, refused('rate-limited', 86_400)).attempt, tomorrow)).rejects.toThrow();
  expect(tomorrow.clock.pauses).toEqual([]);
});

test('one that names no time, or none at all, is not asked in a hurry', async () => {
  for (const error of [refused('rate-limited'), refused('rate-limited', 0)]) {
    const waiting = patience();
    await expect(persist('x', failing(1000, error).attempt, waiting)).rejects.toBe(error);
    expect(waiting.clock.pauses.slice(0, 8)).toEqual([500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
    expect(waiting.clock.pauses.reduce((sum, pause) => sum + pause)).toBeLessThanOrEqual(300_000);
  }
});

test.each<ImageErrorCode>([
  'unauthorized',
  'forbidden',
  'not-found',
  'bad-answer',
  'digest-mismatch',
  'insecure',
])('what fails as %s fails at once', async (code) => {
  const once = failing(1, refused(code));
  await expect(persist('x', once.attempt, patience())).rejects.toMatchObject({ code });
  expect(once.tries()).toBe(1);
});

test('what is waited for is told', async () => {
  const events: unknown[] = [];
  const report = (event: unknown) => void events.push(event);
  await persist('blob 7', failing(1, refused('server')).attempt, patience({ report }));
  expect(events).toEqual([{ kind: 'retry', what: 'blob 7', reason: 'refused', milliseconds: 500 }]);
});

test('an abort ends a wait with its reason', async () => {
  const reason = new Error('enough');
  const stop = new AbortController();
  const waiting = { ...patience({ signal: stop.signal }), clock: systemClock };
  setTimeout(() => stop.abort(reason), 20);
  await expect(persist('x', failing(9, refused('rate-limited', 60)).attempt, waiting)).rejects.toBe(reason);
  await expect(persist('x', failing(0, refused('server')).attempt, waiting)).rejects.toBe(reason);
});
