import type { MountPlan, MountStep } from '../abi/mount-plan.ts';
import { unless } from '../native/errors.ts';
import { close, File, open, open_ } from '../native/files.ts';
import { restrictMount } from '../native/mount-attributes.ts';
import { mountTable } from '../native/mount-table.ts';
import { mount, ms, unmount, unshare } from '../native/mounts.ts';
import { mkdirAll } from '../native/paths.ts';
import { chdir } from '../native/processes.ts';
import { overlayOptions } from './mount-options.ts';
import { mountsToDetach } from './mount-selection.ts';

/** A step whose outside is held by a fd, taken before the first mount. */
interface OpenStep {
  readonly step: MountStep;
  readonly source: number;
}

/**
 * Gives this process a mount namespace of its own, as the plan says; the current directory is the pod's, before and
 * after. With the process the namespace ends, and all its mounts: nothing is ever to be unmounted behind a pod.
 */
export function executeMountPlan(plan: MountPlan): void {
  unshare('mount');
  // Not private: what the host unmounts must go away here too. Not shared: what is mounted here stays here.
  mount({ target: '/', flags: ms.recursive | ms.slave });
  const pod = open('.', open_.path | open_.directory);
  // In the new namespace, because the kernel binds only its own mounts; before the first of them, so that no
  // mount changes what a later source means.
  const steps = plan.mounts.map(openStep);
  detachUnneeded(plan.keep);
  for (const step of steps) execute(step, pod);
  for (const { source } of steps) close(source);
  close(pod);
}

/**
 * Mounts what one step says at an open directory instead of its target. A bound one is still to be restricted. `setUserId`: such
 * programs work there.
 */
export function executeStepAt(step: MountStep, place: number, setUserId: boolean): void {
  using pod = File.open('.', open_.path | open_.directory);
  const opened = openStep(step);
  const target = descriptorPath(place);
  try {
    if (step.kind === 'overlay') mountOverlay(step, opened.source, pod.fd, target, setUserId ? 0 : ms.noSuid);
    else mount({ source: descriptorPath(opened.source), target, flags: ms.bind | ms.recursive });
  } finally {
    close(opened.source);
  }
}

/** What `executeStepAt` has mounted, by a descriptor of it. */
export function restrictBound(step: MountStep, mounted: number): void {
  if (step.kind === 'bind') restrict(descriptorPath(mounted), step.readOnly);
}

function openStep(step: MountStep): OpenStep {
  switch (step.kind) {
    case 'overlay':
      return { step, source: open(step.lowerBase, open_.path | open_.directory) };
    case 'bind':
      return { step, source: open(step.source, open_.path) };
    default:
      return step satisfies never;
  }
}

function detachUnneeded(keep: readonly string[]): void {
  const targets = mountTable().map((entry) => entry.target);
  for (const target of mountsToDetach(targets, keep)) {
    // One that another is mounted over has no path: it stays. Others went with their parent.
    unless(['EINVAL', 'ENOENT', 'ENOTDIR'], () => unmount(target, 'detach'));
  }
}

function execute({ step, source }: OpenStep, pod: number): void {
  mkdirAll(step.target, 0o755);
  switch (step.kind) {
    case 'overlay':
      mountOverlay(step, source, pod, `${descriptorPath(pod)}/${step.target}`, ms.noSuid);
      return;
    case 'bind':
      bind(step.target, source, step.readOnly);
      return;
    default:
      step satisfies never;
  }
}

// Never a device of the host, nor a program that makes its caller root: what images bring and guests leave there is theirs
// to make up. A guest of a virtual machine has both all the same, by its own kernel; a stage1 without one lifts this itself.

function mountOverlay(
  step: Extract<MountStep, { kind: 'overlay' }>,
  lowerBase: number,
  pod: number,
  target: string,
  flags: number,
): void {
  const data = overlayOptions(step, descriptorPath(pod));
  chdir(lowerBase);
  try {
    mount({ source: 'overlay', target, type: 'overlay', flags: flags | ms.noDev, data });
  } finally {
    chdir(pod);
  }
}

function bind(target: string, source: number, readOnly: boolean): void {
  mount({ source: descriptorPath(source), target, flags: ms.bind | ms.recursive });
  restrict(target, readOnly);
}

// Not by a remount, which would change the uppermost mount alone and take off what it is not told.
function restrict(target: string, readOnly: boolean): void {
  restrictMount(target, 'recursive', 'no-suid', 'no-devices', ...(readOnly ? ['read-only' as const] : []));
}

function descriptorPath(fd: number): string {
  return `/proc/self/fd/${fd}`;
}
