/**
 * The one object the C shim gives a program, and the few things that are made of it alone. Under Node, tests
 * put a koffi layer or a fake in its place with `useEngine`.
 */
import { numbers } from './syscall-numbers.ts';

/** What a system call takes: numbers (a 64-bit value as a safe integer), NUL-free strings, memory, or null. */
export type Argument = number | string | ArrayBuffer | Uint8Array | null;

export interface Engine {
  readonly argv: readonly string[];
  readonly environ: readonly string[];
  /** The kernel's answer: a result, or -errno. */
  syscall(number: number, ...args: Argument[]): number;
  /** Where a buffer's bytes are. They stay there while the buffer is reachable. */
  address(buffer: ArrayBuffer | Uint8Array): number;
  encode(text: string): ArrayBuffer;
  /** Bytes that are not UTF-8 become U+FFFD. */
  decode(bytes: ArrayBuffer | Uint8Array): string;
  /** Runs all waiting promise jobs; throws the reason of a rejection that nobody handles. */
  settle(): void;
}

declare global {
  var native: Engine | undefined;
}

let current = globalThis.native;

export function useEngine(engine: Engine): void {
  current = engine;
}

function engine(): Engine {
  if (current === undefined)
    throw new Error('no engine: not a compiled program, and useEngine was not called');
  return current;
}

export function rawSyscall(number: number, ...args: Argument[]): number {
  return engine().syscall(number, ...args);
}

export function addressOf(buffer: ArrayBuffer | Uint8Array): number {
  return engine().address(buffer);
}

export function utf8Encode(text: string): Uint8Array {
  return new Uint8Array(engine().encode(text));
}

export function utf8Decode(bytes: ArrayBuffer | Uint8Array): string {
  return engine().decode(bytes);
}

/** Program name first, as in C. */
export function argv(): readonly string[] {
  return engine().argv;
}

/** `NAME=value`, in the order the process got them. */
export function environ(): readonly string[] {
  return engine().environ;
}

/** The value of one variable; the first one counts, as in C. */
export function environment(name: string): string | undefined {
  const prefix = `${name}=`;
  return environ()
    .find((entry) => entry.startsWith(prefix))
    ?.slice(prefix.length);
}

/** Runs the promise jobs that are waiting. The event loop does this after every callback. */
export function settle(): void {
  engine().settle();
}

export function exit(code: number): never {
  rawSyscall(numbers.exit_group, code & 0xff);
  throw new Error('exit_group returned');
}
