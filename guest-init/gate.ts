/**
 * Where a child of PID 1 waits, prepared, until the whole pod is: one socket pair per child, closed by its exec. The child
 * says `rooted` (with its root, where that is wanted when it has ended), `ready` (with its terminal's other end, if it has one) or what failed; PID 1 says go. An end without a word
 * of failure is the exec itself.
 */
import type { StartStep } from '../src/abi/guest.ts';
import { START_STEPS } from '../src/abi/guest.ts';
import { utf8Decode, utf8Encode } from '../src/native/engine.ts';
import { hasCode } from '../src/native/errors.ts';
import { read, write } from '../src/native/files.ts';
import { receive, send } from '../src/native/messages.ts';
import { InitError, messageOf } from './error.ts';

export type GateMessage =
  /** The mount namespace in which its root is. */
  | { readonly kind: 'rooted'; readonly namespace: number | undefined }
  | { readonly kind: 'ready'; readonly terminal: number | undefined }
  /** A limit could not be set; the child goes on without. */
  | { readonly kind: 'unset'; readonly message: string }
  | { readonly kind: 'failed'; readonly step: StartStep; readonly message: string }
  /** The program runs; or the child died without a word. */
  | { readonly kind: 'passed' };

const GO = new Uint8Array([1]);
const MESSAGE_MAX = 8192;
/** No step is called so. */
const UNSET = 'unset';

/** The child's side. */
export function sayRooted(gate: number, namespace: number): void {
  send(gate, utf8Encode('rooted'), [namespace]);
}

export function sayReady(gate: number, terminal: number | undefined): void {
  send(gate, utf8Encode('ready'), terminal === undefined ? [] : [terminal]);
}

/** False when PID 1 will not let it pass. */
export function awaitGo(gate: number): boolean {
  return read(gate, new Uint8Array(1)) === 1;
}

export function sayFailed(gate: number, error: unknown): void {
  const step = START_STEPS.find((name) => error instanceof InitError && error.code === name) ?? 'exec';
  write(gate, utf8Encode(`${step} ${messageOf(error)}`).subarray(0, MESSAGE_MAX));
}

export function sayUnset(gate: number, message: string): void {
  write(gate, utf8Encode(`${UNSET} ${message}`).subarray(0, MESSAGE_MAX));
}

/** PID 1's side: what the child has said since; undefined when it has said nothing more yet. */
export function hear(gate: number): GateMessage | undefined {
  const received = receive(gate, MESSAGE_MAX, 1);
  if (received === undefined) return undefined;
  const text = utf8Decode(received.bytes);
  if (text === '') return { kind: 'passed' };
  if (text === 'rooted') return { kind: 'rooted', namespace: received.fds[0] };
  if (text === 'ready') return { kind: 'ready', terminal: received.fds[0] };
  const end = text.indexOf(' ');
  if (text.slice(0, end) === UNSET) return { kind: 'unset', message: text.slice(end + 1) };
  const step = START_STEPS.find((name) => name === text.slice(0, end)) ?? 'exec';
  return { kind: 'failed', step, message: text.slice(end + 1) };
}

/** A child that has died meanwhile is noticed by its end. */
export function sayGo(gate: number): void {
  try {
    write(gate, GO);
  } catch (error) {
    if (!hasCode(error, 'EPIPE', 'ECONNRESET')) throw error;
  }
}
