/** Whether a pod starts from a saved machine, and what is done for the next one if not. */

import { parseMountPlan } from '../src/abi/mount-plan.ts';
import { POD } from '../src/abi/pod-directory.ts';
import { KERNEL_PARAMS_ENV } from '../src/abi/stage1.ts';
import { formatTemplateArguments } from '../src/abi/templates.ts';
import { readText } from '../src/native/contents.ts';
import { environ, environment } from '../src/native/engine.ts';
import { SystemError } from '../src/native/errors.ts';
import { close, open, open_ } from '../src/native/files.ts';
import { spawn } from '../src/native/spawn.ts';
import { exists } from '../src/native/stat.ts';
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

/** In the root of the stage1. */
const OF_STAGE1 = KERNEL_DIRECTORY.slice(POD.stage1Rootfs.length);

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

/** Where the stage1's image is in the store; that of a pod with a copy of its own is in its directory alone. */
function storedKernel(): string {
  const { mounts } = parseMountPlan(JSON.parse(readText(POD.mountPlan)));
  for (const step of mounts) {
    if (step.kind !== 'overlay' || step.target !== POD.stage1Rootfs) continue;
    const directories = step.lower.map((name) => `${step.lowerBase}/${name}${OF_STAGE1}`);
    const found = directories.find((path) => exists(`${path}/vmlinux`));
    if (found !== undefined) return found;
  }
  return KERNEL_DIRECTORY;
}

/** By a process of its own, which outlives the pod and holds nothing of it: that may be over, and removed, before the kernel is read. */
export function saveInBackground({ directory, stage1, machine: { size, devices } }: TemplateKind): void {
  const nothing = open('/dev/null', open_.readWrite);
  try {
    const order = {
      directory,
      stage1,
      kernel: storedKernel(),
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
