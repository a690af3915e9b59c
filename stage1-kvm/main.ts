/** One program for all entrypoints of the stage1: the name it is called by says which. */
import { EXIT } from '../src/abi/exit-code.ts';
import { AbiError } from '../src/abi/json.ts';
import { ENTRYPOINTS, type Entrypoint } from '../src/abi/stage1.ts';
import { argv, exit } from '../src/native/engine.ts';
import { SystemError } from '../src/native/errors.ts';
import { SupervisorError } from '../src/supervisor/error.ts';
import { Report } from '../src/supervisor/report.ts';
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
};

function main(): number {
  const [path = '', ...args] = argv();
  const name = path.slice(path.lastIndexOf('/') + 1);
  const entrypoint = ENTRYPOINTS.find((candidate) => candidate === name);
  const report = new Report(entrypoint ?? 'stage1-kvm', false);
  try {
    if (entrypoint === undefined)
      throw new KvmError('bad-pod', `called as ${name}, not as ${ENTRYPOINTS.join(', ')}`);
    return MAIN[entrypoint](args);
  } catch (error) {
    // Anything else is a mistake of ours: it keeps its stack.
    if (!isExpected(error)) throw error;
    report.say(error.message);
    return EXIT.failure;
  }
}

function isExpected(error: unknown): error is Error {
  return [KvmError, SupervisorError, AbiError, SystemError].some((known) => error instanceof known);
}

exit(main());
