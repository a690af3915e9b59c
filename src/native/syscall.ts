import { type Argument, rawSyscall } from './engine.ts';
import { type ErrorPlace, SystemError } from './errors.ts';
import { numbers, type SyscallName } from './syscall-numbers.ts';

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
export function callAt(path: string, name: SyscallName, ...args: Argument[]): number {
  const result = attempt(name, ...args);
  return result < 0 ? checked(name, result, { path }) : result;
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
