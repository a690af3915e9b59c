/**
 * The log of an app: what its supervisor writes and `rkt logs` reads (docs/logs.md).
 *
 * Each stream is a row of numbered segments in `logs/APP/`: `stdout.N.data` has the bytes as they came, `stdout.N.index` a record of
 * 16 bytes for each piece of them, little-endian: time u64 (microseconds since 1970), offset in the data u32, length u32. The highest bit
 * of the length marks a gap: so many bytes were lost before that offset.
 */
import { AbiError } from './json.ts';

export const LOG_STREAMS = ['stdout', 'stderr'] as const;
export type LogStream = (typeof LOG_STREAMS)[number];

export const LOG_RECORD_BYTES = 16;
/** Segments of a stream that are kept, the one that is written included. */
export const LOG_SEGMENTS = 2;
/** What is kept of a stream, data and index together, where the pod does not say. */
export const LOG_SIZE_DEFAULT = 16 * 1024 * 1024;
export const LOG_SIZE_MIN = 128 * 1024;
/** Offsets are of 32 bits. */
export const LOG_SIZE_MAX = 4 * 1024 * 1024 * 1024;
/** Annotation of the pod manifest: bytes, as a decimal number. */
export const LOG_SIZE_ANNOTATION = 'coreos.com/rkt/log-size';

export interface LogRecord {
  readonly kind: 'bytes' | 'gap';
  /** Microseconds since 1970, never less than that of any record before it in the pod. */
  readonly time: number;
  /** Of the bytes, or of what would have followed the gap. */
  readonly offset: number;
  readonly length: number;
}

const GAP = 0x8000_0000;
const LENGTH_MAX = GAP - 1;
const TWO_32 = 2 ** 32;

export function encodeLogRecord({ kind, time, offset, length }: LogRecord): Uint8Array {
  const view = new DataView(new ArrayBuffer(LOG_RECORD_BYTES));
  view.setUint32(0, time % TWO_32, true);
  view.setUint32(4, Math.floor(time / TWO_32), true);
  view.setUint32(8, offset, true);
  // A gap that is larger than fits is at least so large.
  view.setUint32(12, Math.min(length, LENGTH_MAX) + (kind === 'gap' ? GAP : 0), true);
  return new Uint8Array(view.buffer);
}

/** Undefined for what is no record: a crash may leave zeros. */
export function decodeLogRecord(view: DataView, at: number): LogRecord | undefined {
  const time = view.getUint32(at + 4, true) * TWO_32 + view.getUint32(at, true);
  const length = view.getUint32(at + 12, true);
  if (time === 0 || length === 0 || !Number.isSafeInteger(time)) return undefined;
  const isGap = length >= GAP;
  return {
    kind: isGap ? 'gap' : 'bytes',
    time,
    offset: view.getUint32(at + 8, true),
    length: isGap ? length - GAP : length,
  };
}

export type SegmentPart = 'data' | 'index';

export function segmentName(stream: LogStream, number: number, part: SegmentPart): string {
  return `${stream}.${number}.${part}`;
}

/** The numbers of a stream's segments, in order, from the names in the app's log directory. */
export function segmentNumbers(names: readonly string[], stream: LogStream): number[] {
  return names
    .map((name) => /^([a-z]+)\.(0|[1-9]\d{0,14})\.index$/.exec(name))
    .flatMap((match) => (match?.[1] === stream ? [Number(match[2])] : []))
    .sort((a, b) => a - b);
}

/** The annotation's value. @throws AbiError `bad-message` */
export function parseLogSize(text: string): number {
  const bytes = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (bytes >= LOG_SIZE_MIN && bytes <= LOG_SIZE_MAX) return bytes;
  const range = `${LOG_SIZE_MIN} to ${LOG_SIZE_MAX} bytes`;
  throw new AbiError('bad-message', `${LOG_SIZE_ANNOTATION}: ${JSON.stringify(text)} is not ${range}`);
}
