/** Signals. Nothing is handled in C: they are blocked and read from a signalfd, ignored, or left to kill. */
import { Packer, Unpacker } from './bytes.ts';
import { attempt, call, checked } from './syscall.ts';

export const signals = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGSTKFLT: 16,
  SIGCHLD: 17,
  SIGCONT: 18,
  SIGSTOP: 19,
  SIGTSTP: 20,
  SIGTTIN: 21,
  SIGTTOU: 22,
  SIGURG: 23,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGVTALRM: 26,
  SIGPROF: 27,
  SIGWINCH: 28,
  SIGIO: 29,
  SIGPWR: 30,
  SIGSYS: 31,
} as const;

export type SignalName = keyof typeof signals;
/** Real-time signals have only numbers. */
export type Signal = SignalName | number;

export const signalNumber = (signal: Signal) => (typeof signal === 'number' ? signal : signals[signal]);

export const highestSignal = 64;
const setBytes = 8;

/** `SIGTERM`; real-time signals and unknown numbers as `SIG40`. */
export function signalName(number: number): string {
  return Object.entries(signals).find(([, candidate]) => candidate === number)?.[0] ?? `SIG${number}`;
}

/** A kernel signal set: bit N-1 stands for signal N. */
export function packSignalSet(numbers: readonly number[]): Uint8Array {
  const set = new Uint8Array(setBytes);
  for (const number of numbers) {
    const at = (number - 1) >> 3;
    set[at] = (set[at] ?? 0) | (1 << ((number - 1) & 7));
  }
  return set;
}

const howToMask = { block: 0, unblock: 1, set: 2 } as const;

export function maskSignals(how: keyof typeof howToMask, which: readonly Signal[]): void {
  const set = packSignalSet(which.map(signalNumber));
  call('rt_sigprocmask', howToMask[how], set, null, setBytes);
}

const SFD_CLOEXEC = 0o2000000;
const SFD_NONBLOCK = 0o4000;

/** A fd that becomes readable when one of the signals, which must be blocked, is pending. */
export function openSignals(which: readonly Signal[]): number {
  const set = packSignalSet(which.map(signalNumber));
  return call('signalfd4', -1, set, setBytes, SFD_CLOEXEC | SFD_NONBLOCK);
}

export interface SignalInfo {
  readonly signal: number;
  readonly code: number;
  readonly pid: number;
  readonly uid: number;
  readonly status: number;
}

const INFO_BYTES = 128;
const EAGAIN = -11;

/** The next pending signal of a signalfd, if there is one. */
export function readSignal(fd: number): SignalInfo | undefined {
  const out = new Uint8Array(INFO_BYTES);
  const result = attempt('read', fd, out, out.length);
  if (result === EAGAIN) return undefined;
  checked('read', result);
  return parseSignalInfo(out);
}

/** struct signalfd_siginfo. */
export function parseSignalInfo(bytes: Uint8Array): SignalInfo {
  const s = new Unpacker(bytes);
  const signal = s.u32();
  s.skip(4);
  const code = s.i32();
  const pid = s.u32();
  const uid = s.u32();
  s.skip(20); // fd, timer, band, overrun, trap
  return { signal, code, pid, uid, status: s.i32() };
}

export type Disposition = 'default' | 'ignore';

export function setDisposition(signal: SignalName, disposition: Disposition): void {
  setDispositionOf(signals[signal], disposition);
}

/** As a freshly logged-in user's process has them: nothing blocked, nothing ignored. */
export function resetSignals(): void {
  for (let number = 1; number <= highestSignal; number++) {
    if (number !== signals.SIGKILL && number !== signals.SIGSTOP) setDispositionOf(number, 'default');
  }
  maskSignals('set', []);
}

/** struct kernel_sigaction: handler, flags, restorer, mask. */
function setDispositionOf(number: number, disposition: Disposition): void {
  const SIG_DFL = 0;
  const SIG_IGN = 1;
  const action = new Packer(32)
    .u64(disposition === 'ignore' ? SIG_IGN : SIG_DFL)
    .zeros(24)
    .finish();
  call('rt_sigaction', number, action, null, setBytes);
}
