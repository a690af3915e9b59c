/** What a filter of system calls is to do, whatever the numbers are of the machine that it is for. */
import type { Architecture } from './architectures.ts';

export interface Policy {
  /** The first one that holds decides. */
  readonly rules: readonly Rule[];
  /** Of calls that none is about. */
  readonly otherwise: Action;
  /** Of whose calls they speak. */
  readonly architectures: readonly Architecture[];
  /** Of calls by any other way into the kernel. */
  readonly foreign: Action;
}

export interface Rule {
  /** Those that an architecture does not have mean nothing to it. */
  readonly names: readonly string[];
  /** All of them. */
  readonly conditions: readonly Condition[];
  readonly action: Action;
}

/** Of an argument, as the kernel sees it: 64 bits without a sign. */
export interface Condition {
  /** 0 to 5. */
  readonly argument: number;
  readonly is: 'equal' | 'unequal' | 'less' | 'at-most' | 'at-least' | 'more';
  readonly value: number;
  /** The bits that count. */
  readonly mask?: number;
}

/** What a filter returns (SECCOMP_RET_* of <linux/seccomp.h>), with its data. */
export type Action = number;

export const KILL_PROCESS: Action = 0x80000000;
export const KILL_THREAD: Action = 0x00000000;
export const TRAP: Action = 0x00030000;
export const LOG: Action = 0x7ffc0000;
export const ALLOW: Action = 0x7fff0000;
const ERRNO = 0x00050000;
const TRACE = 0x7ff00000;
const DATA = 0xffff;

export const EPERM = 1;
export const ENOSYS = 38;

export function refuseWith(errno: number): Action {
  return ERRNO | (errno & DATA);
}

export function traceWith(message: number): Action {
  return TRACE | (message & DATA);
}

/** Whether the call is made. */
export function allows(action: Action): boolean {
  return action === ALLOW || action === LOG;
}
