/** The capability sets of this process by number and word: for a child on its way to exec, where every call is time. */
import { attempt, call, checked } from './syscall.ts';

const PR_CAPBSET_DROP = 24;
const EINVAL = -22;
const NUMBERS = 64;

/** Drops all but these numbers from the bounding set. */
export function dropBoundingSetTo(kept: readonly number[]): void {
  for (let number = 0; number < NUMBERS; number++) {
    if (kept.includes(number)) continue;
    const result = attempt('prctl', PR_CAPBSET_DROP, number, 0, 0, 0);
    // Behind the last one that this kernel has.
    if (result === EINVAL) return;
    checked('prctl', result);
  }
}

/** Nothing is inheritable any more; what is effective and permitted stays. */
export function clearInheritable(): void {
  change((words) => {
    words[2] = 0;
    words[5] = 0;
  });
}

/** All that is permitted becomes effective, as after a change of user it is not. */
export function raisePermitted(): void {
  change((words) => {
    words[0] = words[1] ?? 0;
    words[3] = words[4] ?? 0;
  });
}

const VERSION_3 = 0x20080522;

/** Two structs of three words: effective, permitted, inheritable; the low 32 capabilities, then the high ones. */
function change(edit: (words: Uint32Array) => void): void {
  const header = new Uint32Array([VERSION_3, 0]);
  const words = new Uint32Array(6);
  call('capget', header.buffer, words.buffer);
  edit(words);
  call('capset', header.buffer, words.buffer);
}
