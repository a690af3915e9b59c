import { Packer, Unpacker } from './bytes.ts';
import { call, once } from './syscall.ts';

const CLOCK_REALTIME = 0;
const CLOCK_MONOTONIC = 1;
const CLOCK_REALTIME_COARSE = 5;
const CLOCK_BOOTTIME = 7;

export interface Timespec {
  readonly seconds: number;
  readonly nanoseconds: number;
}

function now(clock: number): Timespec {
  const out = new Uint8Array(16);
  call('clock_gettime', clock, out);
  const fields = new Unpacker(out);
  return { seconds: fields.i64(), nanoseconds: fields.u64() };
}

export function monotonicMilliseconds(): number {
  const { seconds, nanoseconds } = now(CLOCK_MONOTONIC);
  return seconds * 1000 + nanoseconds / 1e6;
}

/** Since the kernel's start, in whole ones. */
export function uptimeMilliseconds(): number {
  const { seconds, nanoseconds } = now(CLOCK_BOOTTIME);
  return seconds * 1000 + Math.floor(nanoseconds / 1e6);
}

export function realtime(): Timespec {
  return now(CLOCK_REALTIME);
}

/** Of the clock that files get their times from: never later than that of a file which is written next. */
export function fileTime(): Timespec {
  return now(CLOCK_REALTIME_COARSE);
}

export function setRealtime(time: Timespec): void {
  call('clock_settime', CLOCK_REALTIME, packTimespec(time));
}

/** Sleeps at least this long; a signal may end it early. */
export function sleep(milliseconds: number): void {
  const seconds = Math.floor(milliseconds / 1000);
  once('nanosleep', packTimespec({ seconds, nanoseconds: Math.round((milliseconds % 1000) * 1e6) }), null);
}

function packTimespec(time: Timespec): Uint8Array {
  return new Packer(16).u64(time.seconds).u64(time.nanoseconds).finish();
}
