import { CALLER_ENV } from '../abi/caller.ts';
import { environment } from '../native/engine.ts';

/** What the entrypoint `enter` calls itself. */
export function callerName(): string {
  return environment(CALLER_ENV) ?? 'enter';
}
