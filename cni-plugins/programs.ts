/** Programs of the host that a plugin uses: the ones for rules of packets. */
import { readText, readToEnd } from '../src/native/contents.ts';
import { environ, environment, utf8Decode, utf8Encode } from '../src/native/engine.ts';
import { close } from '../src/native/files.ts';
import { openMemoryFile } from '../src/native/memory-files.ts';
import { access } from '../src/native/paths.ts';
import { openPipe } from '../src/native/pipes.ts';
import { waitFor } from '../src/native/processes.ts';
import { spawn } from '../src/native/spawn.ts';
import { CNI_ERROR, CniError } from '../src/net/cni/errors.ts';

/** Runtimes start plugins with any PATH, or none. */
const DIRECTORIES = ['/usr/sbin', '/sbin', '/usr/bin', '/bin'];
const LARGEST_OUTPUT = 64 * 1024 * 1024;

/** A runtime that has killed its plugin, or has died with it, undoes what there is: nobody may add to that behind its back. */
export const DIES_WITH_US = [{ do: 'parent-death-signal', signal: 'SIGKILL' }] as const;

/** Its path; undefined where the host does not have it. */
export function findProgram(name: string): string | undefined {
  const given = (environment('PATH') ?? '').split(':').filter((directory) => directory.startsWith('/'));
  return [...given, ...DIRECTORIES]
    .map((directory) => `${directory}/${name}`)
    .find((path) => access(path, 'execute'));
}

/** What it writes. That it fails is an error with its words, and with what it was to do. */
export function runProgram(path: string, args: readonly string[], input = ''): string {
  const stdin = openMemoryFile('input', utf8Encode(input));
  // A file takes all of it whatever is read when: only one pipe has to be read while the program runs.
  const output = openMemoryFile('output', new Uint8Array(0));
  const words = openPipe();
  // What it says of errors is read, too.
  const env = [...environ().filter((entry) => !entry.startsWith('LC_ALL=')), 'LC_ALL=C'];
  const fds = [stdin, output, words.write];
  const pid = spawn({ path, argv: [path, ...args], env, fds, steps: DIES_WITH_US });
  close(stdin);
  close(words.write);
  const said = readToEnd(words.read, LARGEST_OUTPUT) ?? new Uint8Array(0);
  close(words.read);
  const { exit } = waitFor(pid);
  const written = readText(`/proc/self/fd/${output}`, LARGEST_OUTPUT);
  close(output);
  if (exit.kind === 'exited' && exit.code === 0) return written;
  const how = exit.kind === 'exited' ? `exit code ${exit.code}` : `signal ${exit.signal}`;
  const message = `'${[path, ...args].join(' ')}' has failed with ${how}: ${utf8Decode(said).trim()}`;
  throw new CniError(CNI_ERROR.internal, message, input);
}
