/** One program for all entrypoints of the stage1: the name it is called by says which. */
import { EXIT } from '../src/abi/exit-code.ts';
import { AbiError } from '../src/abi/json.ts';
import { ENTRYPOINTS, type Entrypoint } from '../src/abi/stage1.ts';
import { argv, exit } from '../src/native/engine.ts';
import { SystemError } from '../src/native/errors.ts';
import { endPod } from '../src/supervisor/ending.ts';
import { SupervisorError } from '../src/supervisor/error.ts';
import { Report } from '../src/supervisor/report.ts';
import { app } from './app.ts';
import { attach } from './attach.ts';
import { control } from './control.ts';
import { enter } from './enter.ts';
import { KvmError } from './error.ts';
import { gc } from './gc.ts';
import { run } from './run.ts';
import { stop } from './stop.ts';

const MAIN: Readonly<Record<Entrypoint, (args: readonly string[]) => number>> = {
  run,
  enter,
  stop,
  gc,
  control,
  attach,
  'app/add': (args) => app('add', args),
  'app/start': (args) => app('start', args),
  'app/stop': (args) => app('stop', args),
  'app/rm': (args) => app('rm', args),
};

function main(): number {
  const [path = '', ...args] = argv();
  const entrypoint = entrypointOf(path);
  const report = new Report(entrypoint ?? 'stage1-kvm', false);
  try {
    if (entrypoint === undefined)
      throw new KvmError('bad-pod', `called as ${path}, not as ${ENTRYPOINTS.join(', ')}`);
    return MAIN[entrypoint](args);
  } catch (error) {
    // Anything else is a mistake of ours: it keeps its stack.
    if (!isExpected(error)) throw error;
    report.say(error.message);
    return EXIT.failure;
  }
}

/** `app/stop` ends in `/stop` as well: the longest name is meant. */
function entrypointOf(path: string): Entrypoint | undefined {
  return ENTRYPOINTS.filter((name) => `/${path}`.endsWith(`/${name}`)).sort((a, b) => b.length - a.length)[0];
}

function isExpected(error: unknown): error is Error {
  return [KvmError, SupervisorError, AbiError, SystemError].some((known) => error instanceof known);
}

const code = main();
if (entrypointOf(argv()[0] ?? '') === 'run') endPod(code);
exit(code);
