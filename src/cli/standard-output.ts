import { EXIT } from './exit-code.ts';

let isGuarded = false;
let end = (code: number): void => {
  process.exitCode = code;
};

/** How the command ends at once when nobody reads what it writes. */
export function whenUnread(action: typeof end): void {
  end = action;
}

/**
 * Standard output. Who reads no further (`rkt list | head -1`) has what they want: not an error, and no stack. It is not touched
 * before, for it takes time to open and a command that becomes a pod's supervisor writes nothing.
 */
export function standardOutput(): typeof process.stdout {
  if (!isGuarded)
    process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => {
      end(code === 'EPIPE' ? EXIT.ok : EXIT.failure);
    });
  isGuarded = true;
  return process.stdout;
}
