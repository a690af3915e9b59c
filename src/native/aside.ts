/** What is done beside a program that has one thread: by a child, which has all that its parent had, and ends with it. */
import { readToEnd } from './contents.ts';
import { exit, utf8Decode, utf8Encode } from './engine.ts';
import { unless } from './errors.ts';
import { close, writeAll } from './files.ts';
import { openPipe } from './pipes.ts';
import { setParentDeathSignal } from './privileges.ts';
import { fork, waitFor } from './processes.ts';
import { signals } from './signals.ts';

const EXIT_FAILED = 1;

/** Gives what the action has come to, once; blocks until then. Undefined: it has failed, or could not be begun. */
export type Outcome = () => string | undefined;

export function aside(action: () => string): Outcome {
  const pipe = openPipe();
  const pid = unless(['EAGAIN', 'ENOMEM'], () => fork());
  if (pid === 0) perform(action, pipe.write);
  close(pipe.write);
  return () => {
    const said = utf8Decode(readToEnd(pipe.read) ?? new Uint8Array(0));
    close(pipe.read);
    if (pid === undefined) return undefined;
    const ended = waitFor(pid).exit;
    return ended.kind === 'exited' && ended.code === 0 ? said : undefined;
  };
}

function perform(action: () => string, to: number): never {
  let code = EXIT_FAILED;
  try {
    setParentDeathSignal(signals.SIGKILL);
    writeAll(to, utf8Encode(action()));
    code = 0;
  } finally {
    exit(code);
  }
  throw new Error('unreachable');
}
