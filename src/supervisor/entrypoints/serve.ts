/** One program for all entrypoints of a stage1: the name it is called by says which. */
import { EXIT } from '../../abi/exit-code.ts';
import { AbiError } from '../../abi/json.ts';
import { ENTRYPOINTS, type Entrypoint } from '../../abi/stage1.ts';
import { argv, exit } from '../../native/engine.ts';
import { SystemError } from '../../native/errors.ts';
import { callerName } from '../caller.ts';
import { endPod } from '../ending.ts';
import { SupervisorError } from '../error.ts';
import { Report } from '../report.ts';

/** Those that a stage1 has. */
export type Entrypoints = Readonly<Partial<Record<Entrypoint, (args: readonly string[]) => number>>>;

/** `expected` are errors of the stage1's own that tell all that there is to tell. Ends the process. */
export function serve(
  program: string,
  entrypoints: Entrypoints,
  expected: readonly (new (...args: never) => Error)[] = [],
): never {
  const [path = '', ...args] = argv();
  const entrypoint = entrypointOf(path);
  const code = codeOf(
    entrypoint === 'enter' ? callerName() : (entrypoint ?? program),
    [...EXPECTED, ...expected],
    () => {
      const main = entrypoint === undefined ? undefined : entrypoints[entrypoint];
      if (main === undefined)
        throw new SupervisorError(
          'bad-pod',
          `called as ${path}, not as ${Object.keys(entrypoints).join(', ')}`,
        );
      return main(args);
    },
  );
  if (entrypoint === 'run') endPod(code);
  exit(code);
  throw new Error('exit returned');
}

const EXPECTED = [SupervisorError, AbiError, SystemError];

function codeOf(
  name: string,
  expected: readonly (new (...args: never) => Error)[],
  main: () => number,
): number {
  try {
    return main();
  } catch (error) {
    // Anything else is a mistake of ours: it keeps its stack.
    if (!(error instanceof Error && expected.some((known) => error instanceof known))) throw error;
    new Report(name, false).say(error.message);
    return EXIT.failure;
  }
}

/** `app/stop` ends in `/stop` as well: the longest name is meant. */
function entrypointOf(path: string): Entrypoint | undefined {
  return ENTRYPOINTS.filter((name) => `/${path}`.endsWith(`/${name}`)).sort((a, b) => b.length - a.length)[0];
}
