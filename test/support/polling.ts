import { setTimeout as sleep } from 'node:timers/promises';
import { TestSupportError } from './error.ts';

/** Asks again until the answer is neither undefined nor false; the deadline only bounds a test that has failed. */
export async function eventually<T>(
  what: string,
  ask: () => T | undefined | false | Promise<T | undefined | false>,
  seconds = 240,
): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (Date.now() > deadline) throw new TestSupportError('TIMEOUT', `not within ${seconds} s: ${what}`);
    await sleep(25);
  }
}
