import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fstatSync, ftruncateSync, readSync } from 'node:fs';
import { GRACE_MILLISECONDS, goingOn, takeCharge } from './charge.ts';
import { Descriptor } from './descriptor.ts';
import { openMemoryFile, retireMemoryFile } from './memory-file.ts';

/** Of what a program says, as much as a message has room for. */
const SAID_MAX = 64 * 1024;
/** How often what is beyond that is thrown away: it is in memory. */
const BOUND_MILLISECONDS = 100;

export interface Call {
  readonly path: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Milliseconds after which it is told to end, and killed if it does not. */
  readonly timeout: number;
}

/**
 * Runs a program to its end, without input; it ends with us. Returns undefined when it has succeeded, otherwise what it has said on
 * both of its streams, or how it has ended. There is no more to know of it: execa, which tells more, takes twice as long for a program
 * of ours.
 */
export async function failureOf({ path, args, cwd, timeout }: Call): Promise<string | undefined> {
  // Not a pipe: what the program leaves running would keep it open.
  using said = new Descriptor(openMemoryFile('said', new Uint8Array()));
  const child = spawn(path, args, { cwd, stdio: ['ignore', said.fd, said.fd] });
  takeCharge(child);
  const bound = setInterval(() => forgetRest(said), BOUND_MILLISECONDS);
  const term = setTimeout(() => child.kill('SIGTERM'), timeout);
  const kill = setTimeout(() => child.kill('SIGKILL'), timeout + GRACE_MILLISECONDS);
  try {
    const [code, signal] = await goingOn(await once(child, 'exit'));
    if (code === 0) return undefined;
    return textOf(said) || (signal === null ? `exit code ${code}` : `it was ended by ${signal}`);
  } catch (error) {
    // It could not be started.
    return error instanceof Error ? error.message : String(error);
  } finally {
    clearInterval(bound);
    clearTimeout(term);
    clearTimeout(kill);
    // Of what is left running nobody would read more.
    retireMemoryFile(said.fd);
  }
}

/** The program writes on where it was: what it has said first stays. */
function forgetRest({ fd }: Descriptor): void {
  if (fstatSync(fd).size > SAID_MAX) ftruncateSync(fd, SAID_MAX);
}

function textOf(said: Descriptor): string {
  const bytes = Buffer.alloc(SAID_MAX);
  return bytes.toString('utf8', 0, readSync(said.fd, bytes, 0, SAID_MAX, 0)).trim();
}
