import { utf8Decode } from './engine.ts';
import { SystemError } from './errors.ts';
import { call } from './syscall.ts';

const MAX_VALUE = 256;

/** Undefined where there is none, or none of such a length, or none may be seen. */
export function extendedAttribute(path: string, name: string): string | undefined {
  const value = new Uint8Array(MAX_VALUE);
  try {
    return utf8Decode(value.slice(0, call('getxattr', path, name, value, MAX_VALUE)));
  } catch (error) {
    if (error instanceof SystemError) return undefined;
    throw error;
  }
}
