/** Finding and starting a process's program, in its root, as its user, in its working directory. */
import type { ProcessPlan } from '../src/abi/boot-plan.ts';
import { access } from '../src/native/paths.ts';
import { execve } from '../src/native/processes.ts';
import { statIfPresent } from '../src/native/stat.ts';
import { errnoOf, InitError } from './error.ts';
import { explainExecFailure } from './exec-failure.ts';

/** Where an app without a PATH of its own is looked for (appc: the executor's default). */
const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * The path to execute. Before the filter, which need not allow a search.
 * @throws InitError `exec`
 */
export function findProgram({ argv, env }: ProcessPlan): string {
  const [name] = argv;
  if (name === undefined || name === '') throw new InitError('exec', 'nothing to execute');
  if (name.includes('/')) return name;
  const path = pathOf(env);
  const candidates = searchPath(name, path);
  const found = candidates.find((candidate) => isFile(candidate) && access(candidate, 'execute'));
  if (found !== undefined) return found;
  // As a shell does: what is there and cannot be run is worth more words than what is not there.
  const present = candidates.find(isFile);
  if (present !== undefined) return present;
  throw new InitError('exec', `${name}: not found in PATH (${path})`);
}

export function pathOf(env: readonly string[]): string {
  return env.find((entry) => entry.startsWith('PATH='))?.slice('PATH='.length) ?? DEFAULT_PATH;
}

/** The files that `name` may stand for, in order; an empty element of PATH is the working directory. */
export function searchPath(name: string, path: string): string[] {
  return path.split(':').map((directory) => (directory === '' ? `./${name}` : `${directory}/${name}`));
}

/** Does not return. @throws InitError `exec`, saying why */
export function execute(path: string, { argv, env }: ProcessPlan): never {
  try {
    return execve(path, argv, env);
  } catch (cause) {
    const errno = errnoOf(cause);
    if (errno === undefined) throw cause;
    throw new InitError('exec', explainExecFailure(path, errno), { cause });
  }
}

function isFile(path: string): boolean {
  return statIfPresent(path)?.kind === 'file';
}
