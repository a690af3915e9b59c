/** Whether a pod starts from a saved machine, and what is done for the next one if not. */

import { parseMountPlan } from '../src/abi/mount-plan.ts';
import { POD } from '../src/abi/pod-directory.ts';
import { parseSpares, SPARES_ENV } from '../src/abi/spares.ts';
import { KERNEL_PARAMS_ENV } from '../src/abi/stage1.ts';
import { readText } from '../src/native/contents.ts';
import { environment } from '../src/native/engine.ts';
import { exists } from '../src/native/stat.ts';
import { HostSide } from '../src/supervisor/network/host-side.ts';
import type { Report } from '../src/supervisor/report.ts';
import { inBackground } from './background.ts';
import { canHaveSpares } from './saved-devices.ts';
import { areSlotsTaken } from './spare-store.ts';
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
const PROGRAM = 'run';

export interface TemplateChoice {
  readonly open: OpenTemplate | undefined;
  /** Of that one. */
  readonly kind: TemplateKind | undefined;
  /** One that is to be made, for pods to come. */
  readonly missing: TemplateKind | undefined;
}

const NO_TEMPLATE: TemplateChoice = { open: undefined, kind: undefined, missing: undefined };

/** With --debug, says why the pod starts cold where it might not. */
export function chooseTemplate(machine: SavedMachine, qemu: string, report: Report): TemplateChoice {
  const { accelerator, size, devices } = machine;
  const kind = templateOfPod({ accelerator, size, devices }, KERNEL_DIRECTORY, qemu);
  if (kind === undefined) return NO_TEMPLATE;
  // Of that pod alone.
  if ((environment(KERNEL_PARAMS_ENV) ?? '').trim() !== '') {
    report.step(`cold start: ${KERNEL_PARAMS_ENV} is set`);
    return NO_TEMPLATE;
  }
  const template = openTemplate(kind);
  if (typeof template !== 'string') {
    report.step(`starts from the template ${kind.key}`);
    return { open: template, kind, missing: undefined };
  }
  report.step(`cold start: ${template}`);
  return { ...NO_TEMPLATE, missing: isMissing(kind) ? kind : undefined };
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
export function saveInBackground(kind: TemplateKind): void {
  inBackground('/proc/self/exe', 'template', kind, storedKernel());
}

/** Likewise; where as many are there already, nobody is started. It waits for a long time, in the host's namespaces, so that nothing of this pod stays for it. */
export function keepSpareInBackground(kind: TemplateKind): void {
  const { count } = parseSpares(environment(SPARES_ENV));
  if (count === 0 || !canHaveSpares(kind.machine.devices) || areSlotsTaken(kind, count)) return;
  const kernel = storedKernel();
  const host = HostSide.given();
  // A stage1 that is in the pod's directory goes with it.
  if (host === undefined || !kernel.endsWith(OF_STAGE1) || !kernel.startsWith('/')) return;
  const program = `${kernel.slice(0, -OF_STAGE1.length)}/${PROGRAM}`;
  inBackground(program, 'spare', kind, kernel, host.steps);
}
