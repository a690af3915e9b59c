import { attempt, checked } from '../src/native/syscall.ts';

const P_ALL = 0;
const ECHILD = -10;
/** WNOHANG | WEXITED | WNOWAIT: looks, and takes nothing away. */
const LOOK = 0x01000005;
const SIGINFO_BYTES = 128;

/** Whether this process has any child, running or waiting to be reaped. As PID 1: whether anybody else is left. */
export function hasChildren(): boolean {
  const result = attempt('waitid', P_ALL, 0, new Uint8Array(SIGINFO_BYTES), LOOK, null);
  return result === ECHILD ? false : checked('waitid', result) === 0;
}
