import { syncBuiltinESMExports } from 'node:module';
import timers from 'node:timers/promises';

/** Lets pauses pass at once, in all of this process: a registry that fails is asked again after seconds. */
export function skipPauses(): void {
  Reflect.set(timers, 'setTimeout', (_milliseconds: number, value: unknown) => timers.setImmediate(value));
  syncBuiltinESMExports();
}
