/**
 * The first module of every compiled program: what the language version lacks, and what happens to an error
 * that nobody caught.
 */
import { type LineMap, parseLineMap, translateStack } from './line-map.ts';

interface Hooks {
  syscall(number: number, ...args: (number | ArrayBuffer)[]): number;
  encode(text: string): ArrayBuffer;
  runJob(): boolean;
  lineMap(): string;
  rejection(promise: object, reason: unknown, handled: boolean): void;
  settle(): void;
  uncaught(error: unknown): void;
}

const write = 1;
const stderr = 2;

/** Reasons of rejected promises that have no handler yet; one that still has none when all jobs ran is fatal. */
const rejected = new Map<object, unknown>();

function install(hooks: Hooks): void {
  hooks.rejection = (promise, reason, handled) => {
    if (handled) rejected.delete(promise);
    else rejected.set(promise, reason);
  };
  hooks.settle = () => {
    while (hooks.runJob()) {}
    for (const [promise, reason] of rejected) {
      rejected.delete(promise);
      throw reason;
    }
  };
  hooks.uncaught = (error) => {
    const text = hooks.encode(`${describe(error, parseLineMap(hooks.lineMap()))}\n`);
    hooks.syscall(write, stderr, text, text.byteLength);
  };
}

/** The error, its stack in source lines, then its causes. */
function describe(error: unknown, map: LineMap): string {
  if (!(error instanceof Error)) return `uncaught: ${String(error)}`;
  const own = `${error.name}: ${error.message}\n${translateStack(error.stack ?? '', map)}`.trimEnd();
  return error.cause === undefined ? own : `${own}\ncaused by ${describe(error.cause, map)}`;
}

function defineSymbol(name: 'dispose' | 'asyncDispose'): void {
  if (name in Symbol) return;
  Object.defineProperty(Symbol, name, { value: Symbol.for(`Symbol.${name}`) });
}

defineSymbol('dispose');
defineSymbol('asyncDispose');

declare const native: Hooks;
install(native);
