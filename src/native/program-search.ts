/** Finding a program as a shell does, in what is `/` by now. */
import { access } from './paths.ts';
import { statIfPresent } from './stat.ts';

/** Where a program without a PATH of its own is looked for (appc: the executor's default). */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The path to execute; undefined where `name`, which has no slash, is in no directory of PATH. One with a slash is a path. */
export function searchProgram(name: string, env: readonly string[]): string | undefined {
  if (name.includes('/')) return name;
  const candidates = searchPath(name, pathOf(env));
  const found = candidates.find((candidate) => isFile(candidate) && access(candidate, 'execute'));
  // What is there and cannot be run is worth more words than what is not there.
  return found ?? candidates.find(isFile);
}

export function pathOf(env: readonly string[]): string {
  return env.find((entry) => entry.startsWith('PATH='))?.slice('PATH='.length) ?? DEFAULT_PATH;
}

/** The files that `name` may stand for, in order; an empty element of PATH is the working directory. */
export function searchPath(name: string, path: string): string[] {
  return path.split(':').map((directory) => (directory === '' ? `./${name}` : `${directory}/${name}`));
}

function isFile(path: string): boolean {
  return statIfPresent(path)?.kind === 'file';
}
