/** Whether a pod starts from a saved machine, and what is done for the next one if not. */
import { KERNEL_PARAMS_ENV } from '../src/abi/stage1.ts';
import { formatTemplateArguments } from '../src/abi/templates.ts';
import { environ, environment } from '../src/native/engine.ts';
import { SystemError } from '../src/native/errors.ts';
import { close, open, open_ } from '../src/native/files.ts';
import { spawn } from '../src/native/spawn.ts';
import type { Report } from '../src/supervisor/report.ts';
import type { SavedMachine } from './template-arguments.ts';
import {
  isMissing,
  type OpenTemplate,
  openTemplate,
  type TemplateKind,
  templateOfPod,
} from './template-store.ts';
import { KERNEL_DIRECTORY } from './vmm.ts';

export interface TemplateChoice {
  readonly open: OpenTemplate | undefined;
  /** One that is to be made, for pods to come. */
  readonly missing: TemplateKind | undefined;
}

/** With --debug, says why the pod starts cold where it might not. */
export function chooseTemplate(machine: SavedMachine, qemu: string, report: Report): TemplateChoice {
  const { accelerator, size, devices } = machine;
  const kind = templateOfPod({ accelerator, size, devices }, KERNEL_DIRECTORY, qemu);
  if (kind === undefined) return { open: undefined, missing: undefined };
  // Of that pod alone.
  if ((environment(KERNEL_PARAMS_ENV) ?? '').trim() !== '') {
    report.step(`cold start: ${KERNEL_PARAMS_ENV} is set`);
    return { open: undefined, missing: undefined };
  }
  const template = openTemplate(kind);
  if (typeof template !== 'string') {
    report.step(`starts from the template ${kind.key}`);
    return { open: template, missing: undefined };
  }
  report.step(`cold start: ${template}`);
  return { open: undefined, missing: isMissing(kind) ? kind : undefined };
}

/** By a process of its own, which outlives the pod and holds nothing of it but what it reads the kernel from. */
export function saveInBackground({ directory, stage1, machine: { size, devices } }: TemplateKind): void {
  const nothing = open('/dev/null', open_.readWrite);
  try {
    const order = {
      directory,
      stage1,
      kernel: KERNEL_DIRECTORY,
      cpus: size.cpus,
      memoryMiB: size.memoryMiB,
      appBytes: null,
      devices,
    };
    spawn({
      path: '/proc/self/exe',
      argv: ['template', ...formatTemplateArguments({ ...order, wait: false, debug: false })],
      env: environ(),
      fds: [nothing, nothing, nothing],
      steps: [{ do: 'session' }],
    });
  } catch (error) {
    // The pod runs: the next one will try again.
    if (!(error instanceof SystemError)) throw error;
  } finally {
    close(nothing);
  }
}
