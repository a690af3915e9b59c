import { describe, expect, it } from 'vitest';
import { interruptible } from '../../../src/cli/interruption.ts';

const listeners = () => (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((name) => process.listenerCount(name));
/** Work that ends when it is told to, as one that waits for a connection does: with an error of its own making. */
const waiting = (signal: AbortSignal) =>
  new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(new Error('socket hang up')));
  });

describe('work that can be interrupted', () => {
  it('gives what it gives, and leaves no listener behind', async () => {
    const before = listeners();
    expect(await interruptible(async () => 5)).toBe(5);
    await expect(interruptible(() => Promise.reject(new Error('x')))).rejects.toThrow('x');
    expect(listeners()).toEqual(before);
  });

  it.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
    'is by %s, and says so in whatever way it ends',
    async (name) => {
      const before = listeners();
      const work = interruptible(waiting);
      process.emit(name, name);
      // The next one is nobody's any more: it ends the process.
      expect(listeners()).toEqual(before);
      await expect(work).rejects.toMatchObject({ code: 'interrupted', message: `interrupted by ${name}` });
    },
  );

  it('that ends well all the same has ended well', async () => {
    const work = interruptible(async (signal) => {
      process.emit('SIGINT', 'SIGINT');
      return signal.aborted;
    });
    expect(await work).toBe(true);
  });
});
