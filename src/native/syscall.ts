import { type Argument, rawSyscall, utf8Decode } from './engine.ts';
import { type ErrorPlace, SystemError } from './errors.ts';
import { numbers, type SyscallName } from './syscall-numbers.ts';

/**
 * A path: text, or the bytes of a name that may not be UTF-8. Bytes end in a NUL here, because that is what
 * the kernel reads; `pathBytes` adds it.
 */
export type Path = string | Uint8Array;

const EINTR = 4;

/** Calls the kernel; a result below zero is -errno. An interrupted call is made again. */
export function attempt(name: SyscallName, ...args: Argument[]): number {
  const number = numbers[name];
  let result = rawSyscall(number, ...args);
  while (result === -EINTR) result = rawSyscall(number, ...args);
  return result;
}

/** As `attempt`; a refusal is thrown. */
export function call(name: SyscallName, ...args: Argument[]): number {
  return checked(name, attempt(name, ...args));
}

/** As `call`, naming the path in the error. */
export function callAt(path: Path, name: SyscallName, ...args: Argument[]): number {
  const result = attempt(name, ...args);
  return result < 0 ? checked(name, result, { path: showPath(path) }) : result;
}

/** Throws a result below zero as a SystemError. */
export function checked(name: string, result: number, place?: ErrorPlace): number {
  if (result < 0) throw new SystemError(name, result, place);
  return result;
}

/** One call that must not be repeated when interrupted (close has freed its fd by then; a wait has its deadline). */
export function once(name: SyscallName, ...args: Argument[]): number {
  return rawSyscall(numbers[name], ...args);
}

export function showPath(path: Path): string {
  if (typeof path === 'string') return path;
  const end = path.indexOf(0);
  return utf8Decode(end === -1 ? path : path.subarray(0, end));
}

/** The bytes of a name as a Path. */
export function pathBytes(name: Uint8Array): Uint8Array {
  if (name.includes(0)) throw new TypeError('a path holds a NUL');
  const path = new Uint8Array(name.length + 1);
  path.set(name);
  return path;
}
