import { SPARES_ENV } from '../src/abi/spares.ts';
import { ACCEL_ENV, type Entrypoint, VM_IDS_ENV } from '../src/abi/stage1.ts';
import { formatTemplateArguments } from '../src/abi/templates.ts';
import { environment } from '../src/native/engine.ts';
import { SystemError } from '../src/native/errors.ts';
import { close, open, open_ } from '../src/native/files.ts';
import { spawn } from '../src/native/spawn.ts';
import type { Step } from '../src/native/spawn-steps.ts';
import type { TemplateKind } from './template-store.ts';

/** A process of its own, that outlives whoever starts it, sees to machines of this kind: where it cannot be started somebody else will try again. */
export function inBackground(
  path: string,
  entrypoint: Extract<Entrypoint, 'template' | 'spare'>,
  { directory, stage1, machine: { size, devices } }: TemplateKind,
  kernel: string,
  steps: readonly Step[] = [],
): void {
  const nothing = open('/dev/null', open_.readWrite);
  try {
    const order = { directory, stage1, kernel, cpus: size.cpus, memoryMiB: size.memoryMiB, devices };
    const args = formatTemplateArguments({ ...order, appBytes: null, wait: false, debug: false });
    spawn({
      ...{ path, argv: [entrypoint, ...args], env: ownVariables(), fds: [nothing, nothing, nothing] },
      steps: [{ do: 'session' }, ...steps],
    });
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
  } finally {
    close(nothing);
  }
}

/** Nothing else that a pod's caller has given it is for a process that outlives the pod. */
function ownVariables(): string[] {
  return [ACCEL_ENV, VM_IDS_ENV, SPARES_ENV, 'PATH'].flatMap((name) => {
    const value = environment(name);
    return value === undefined ? [] : [`${name}=${value}`];
  });
}
