import type { IdRange } from '../abi/id-range.ts';
import type { MountPlan, MountStep } from '../abi/mount-plan.ts';
import { unless } from '../native/errors.ts';
import { withFileIds } from '../native/file-ids.ts';
import { close, File, open, open_ } from '../native/files.ts';
import { type MountDepth, restrictMount } from '../native/mount-attributes.ts';
import { mountTable } from '../native/mount-table.ts';
import { attachMount, mount, ms, unmount, unshare } from '../native/mounts.ts';
import { mkdirAll } from '../native/paths.ts';
import { chdir } from '../native/processes.ts';
import { cloneMapped } from './idmapped-mount.ts';
import { overlayOptions } from './mount-options.ts';
import { mountsToDetach } from './mount-selection.ts';
import { openPrivateUsers } from './user-namespace.ts';

type Overlay = Extract<MountStep, { readonly kind: 'overlay' }>;
type Bind = Extract<MountStep, { readonly kind: 'bind' }>;

/** A step whose outside is held by fds, taken before the first mount. Those of a pod with users of its own are detached mounts. */
type OpenStep =
  /** `base`: what its upper directory and its work directory are in. */
  | { readonly kind: 'overlay'; readonly step: Overlay; readonly lower: number; readonly base: number }
  | { readonly kind: 'bind'; readonly step: Bind; readonly tree: number };

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
  // mount changes what a later source means, and that what is refused leaves nothing behind.
  const steps = openSteps(plan.mounts, pod);
  detachUnneeded(plan.keep);
  for (const step of steps) execute(step, pod);
  for (const step of steps) closeStep(step);
  close(pod);
}

/**
 * Mounts what one step says at an open directory instead of its target. A bound one is still to be restricted. `setUserId`: such
 * programs work there.
 */
export function executeStepAt(step: MountStep, place: number, setUserId: boolean): void {
  using pod = File.open('.', open_.path | open_.directory);
  const target = descriptorPath(place);
  for (const opened of openSteps([step], pod.fd)) {
    try {
      if (opened.kind === 'overlay') mountOverlay(opened, pod.fd, target, setUserId ? 0 : ms.noSuid);
      else bind(opened, target);
    } finally {
      closeStep(opened);
    }
  }
}

/** What `executeStepAt` has mounted, by a descriptor of it. */
export function restrictBound(step: MountStep, mounted: number): void {
  if (step.kind === 'bind') restrict(descriptorPath(mounted), step.readOnly);
}

/** All steps with ids have the same: those of the one pod. @throws SupervisorError for ids that a file system cannot show */
function openSteps(steps: readonly MountStep[], pod: number): OpenStep[] {
  const ids = steps.find((step) => step.ids !== undefined)?.ids;
  using users = ids === undefined ? undefined : openPrivateUsers(ids);
  return steps.map((step) => openStep(step, pod, step.ids === undefined ? undefined : users?.fd));
}

function openStep(step: MountStep, pod: number, users: number | undefined): OpenStep {
  const { kind } = step;
  switch (kind) {
    case 'overlay': {
      const base = openTree({ path: '.', name: "the pod's directory", directory: pod }, users, 'alone');
      const { lowerBase } = step;
      return { kind, step, base, lower: openTree({ path: lowerBase, name: lowerBase }, users, 'alone') };
    }
    case 'bind':
      return { kind, step, tree: openTree({ path: step.source, name: step.source }, users, 'recursive') };
    default:
      return kind satisfies never;
  }
}

interface Tree {
  readonly path: string;
  /** In an error. */
  readonly name: string;
  readonly directory?: number;
}

function openTree({ path, name, directory }: Tree, users: number | undefined, depth: MountDepth): number {
  const fd = open(path, open_.path, 0, directory);
  if (users === undefined) return fd;
  try {
    return cloneMapped({ fd, name }, users, depth);
  } finally {
    close(fd);
  }
}

function closeStep(opened: OpenStep): void {
  const fds = opened.kind === 'overlay' ? [opened.lower, opened.base] : [opened.tree];
  fds.forEach(close);
}

function detachUnneeded(keep: readonly string[]): void {
  const targets = mountTable().map((entry) => entry.target);
  for (const target of mountsToDetach(targets, keep)) {
    // One that another is mounted over has no path: it stays. Others went with their parent.
    unless(['EINVAL', 'ENOENT', 'ENOTDIR'], () => unmount(target, 'detach'));
  }
}

function execute(opened: OpenStep, pod: number): void {
  const { target } = opened.step;
  mkdirAll(target, 0o755);
  switch (opened.kind) {
    case 'overlay':
      mountOverlay(opened, pod, `${descriptorPath(pod)}/${target}`, ms.noSuid);
      return;
    case 'bind':
      bind(opened, target);
      restrict(target, opened.step.readOnly);
      return;
    default:
      opened satisfies never;
  }
}

// Never a device of the host, nor a program that makes its caller root: what images bring and guests leave there is theirs
// to make up. A guest of a virtual machine has both all the same, by its own kernel; a stage1 without one lifts this itself.

function mountOverlay(opened: OpenStep & { kind: 'overlay' }, pod: number, target: string, flags: number) {
  const { step, lower, base } = opened;
  const data = overlayOptions(step, descriptorPath(base));
  const make = () => {
    chdir(lower);
    mount({ source: 'overlay', target, type: 'overlay', flags: flags | ms.noDev, data });
  };
  try {
    if (step.ids === undefined) make();
    else makeMapped(opened, pod, step.ids, make);
  } finally {
    chdir(pod);
  }
}

/** What overlayfs itself makes beside the upper directory is the pod's root's, which is root's on disk. */
function makeMapped(
  opened: OpenStep & { kind: 'overlay' },
  pod: number,
  { first }: IdRange,
  make: () => void,
) {
  const { step, lower, base } = opened;
  whileAttached(lower, step.lowerBase, () =>
    whileAttached(base, descriptorPath(pod), () => withFileIds(first, first, make)),
  );
}

/** Before Linux 6.15 overlayfs takes no layer of a detached mount. It keeps mounts of its own of what it has taken. */
function whileAttached(detached: number, place: string, action: () => void): void {
  attachMount(detached, place);
  try {
    action();
  } finally {
    chdir(detached);
    unmount('.', 'detach');
  }
}

function bind({ step, tree }: OpenStep & { kind: 'bind' }, target: string): void {
  if (step.ids === undefined) mount({ source: descriptorPath(tree), target, flags: ms.bind | ms.recursive });
  else attachMount(tree, target);
}

// Not by a remount, which would change the uppermost mount alone and take off what it is not told.
function restrict(target: string, readOnly: boolean): void {
  restrictMount(target, 'recursive', 'no-suid', 'no-devices', ...(readOnly ? ['read-only' as const] : []));
}

function descriptorPath(fd: number): string {
  return `/proc/self/fd/${fd}`;
}
