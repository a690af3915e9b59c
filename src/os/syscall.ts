import { createRequire } from 'node:module';
import { getSystemErrorMap } from 'node:util';

/** What may cross into libc: a string is passed as UTF-8, a Uint8Array as it stands (NUL-terminated by the caller for paths). */
export type Argument = number | bigint | string | Uint8Array | null | readonly (string | null)[];
/** A path: text, or raw bytes where the name need not be UTF-8. */
export type Path = string | Uint8Array;
/** A libc function: the result, or the negative errno where libc says -1. */
export type LibcFunction = (...args: Argument[]) => number;

/** A failed system call, in the shape of Node's own errors. */
export class SystemError extends Error {
  override readonly name = 'SystemError';
  readonly code: string;
  readonly errno: number;
  readonly syscall: string;
  readonly path: string | undefined;

  /** `errno` is negative, as libuv and the kernel give it. */
  constructor(syscall: string, errno: number, path?: Path) {
    const [code, description] = getSystemErrorMap().get(errno) ?? [`E${-errno}`, 'unknown error'];
    const text = path === undefined ? undefined : pathText(path);
    super(`${code}: ${description}, ${syscall}${text === undefined ? '' : ` '${text}'`}`);
    this.code = code;
    this.errno = errno;
    this.syscall = syscall;
    this.path = text;
  }
}

type NativeFunction = {
  (...args: Argument[]): number | bigint;
  /** Last argument: who is called with an error of koffi's own and the result. */
  async(...args: (Argument | ((error: Error | null, result: number | bigint) => void))[]): void;
};
type Library = { func(definition: string): NativeFunction };
type Koffi = { load(path: string): Library; errno(): number };

let loaded: { readonly koffi: Koffi; readonly libc: Library } | undefined;

// Its native part alone: what koffi's JavaScript does, which is to look for it and to warn of what is deprecated, takes 5 ms.
const KOFFI = `@koromix/koffi-linux-${process.arch}/linux_${process.arch}/koffi.node`;

// Commands that make no system call of their own must not pay for it.
function library(): { readonly koffi: Koffi; readonly libc: Library } {
  if (loaded === undefined) {
    const koffi: Koffi = createRequire(import.meta.url)(KOFFI);
    loaded = { koffi, libc: koffi.load('libc.so.6') };
  }
  return loaded;
}

/**
 * Declares a libc function by its C prototype; it is looked up at the first call. The result is the function's own,
 * or the negative errno where it returned -1. Every call is synchronous: asynchronous ones lose errno.
 */
export function libc(definition: string): LibcFunction {
  let native: NativeFunction | undefined;
  return (...args) => {
    const { koffi, libc: handle } = library();
    native ??= handle.func(definition);
    const result = native(...args);
    return Number(result) === -1 ? -koffi.errno() : Number(result);
  };
}

/**
 * As `libc`, for what waits for a disk: on a thread of Node's pool, while everything else goes on. A failure is -1 whatever its
 * errno, which stays with that thread.
 */
export function libcInBackground(definition: string): (...args: Argument[]) => Promise<number> {
  let native: NativeFunction | undefined;
  return (...args) =>
    new Promise((resolve, reject) => {
      native ??= library().libc.func(definition);
      native.async(...args, (error, result) => (error === null ? resolve(Number(result)) : reject(error)));
    });
}

/** The result of a libc function, or a SystemError that names the call and the path. */
export function check(result: number, syscall: string, path?: Path): number {
  if (result < 0) throw new SystemError(syscall, result, path);
  return result;
}

/** A path as libc takes it; a NUL inside would cut it short and name another file. */
export function cpath(path: Path): Path {
  if (typeof path === 'string') {
    if (path.includes('\0')) throw new SystemError('path', -22, path.replaceAll('\0', '\\0'));
    return path;
  }
  if (path.includes(0)) throw new SystemError('path', -22, path);
  const terminated = new Uint8Array(path.length + 1);
  terminated.set(path);
  return terminated;
}

/** True for a system error (ours or Node's) with this code. */
export function isSystemError(error: unknown, ...codes: readonly string[]): boolean {
  return (
    error instanceof Error && 'code' in error && typeof error.code === 'string' && codes.includes(error.code)
  );
}

function pathText(path: Path): string {
  return typeof path === 'string' ? path : Buffer.from(path).toString('utf8');
}
