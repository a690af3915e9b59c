/** Finding and starting a process's program, in its root, as its user, in its working directory. */
import type { ProcessPlan } from '../src/abi/boot-plan.ts';
import { explainExecFailure } from '../src/native/exec-failure.ts';
import { execve } from '../src/native/processes.ts';
import { pathOf, searchProgram } from '../src/native/program-search.ts';
import { errnoOf, InitError } from './error.ts';

/**
 * The path to execute. Before the filter, which need not allow a search.
 * @throws InitError `exec`
 */
export function findProgram({ argv, env }: ProcessPlan): string {
  const [name] = argv;
  if (name === undefined || name === '') throw new InitError('exec', 'nothing to execute');
  const found = searchProgram(name, env);
  if (found === undefined) throw new InitError('exec', `${name}: not found in PATH (${pathOf(env)})`);
  return found;
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
