/** What no program does without: the kernel's file systems, and where executables, their libraries and configuration are. */
const ALWAYS_KEPT: readonly string[] = [
  ...['/proc', '/sys', '/dev'],
  ...['/usr', '/bin', '/sbin', '/lib', '/lib32', '/lib64', '/libx32', '/etc', '/opt'],
  ...['/run/systemd', '/run/dbus'],
];

/**
 * Which mounts a pod's mount namespace does not need, to be detached in this order. A copied mount keeps its disk busy for as
 * long as the pod lives: an operator could not unmount it. Kept is what holds a kept path and what lies below one.
 * `targets` are in the order of mountinfo.
 */
export function mountsToDetach(targets: readonly string[], keep: readonly string[]): string[] {
  const kept = [...ALWAYS_KEPT, ...keep];
  const isNeeded = (target: string) => kept.some((path) => holds(target, path) || holds(path, target));
  // The last mounted first: a child before its parent, the upper of two at one place before the lower.
  return targets.filter((target) => !isNeeded(target)).reverse();
}

function holds(directory: string, path: string): boolean {
  return directory === '/' || path === directory || path.startsWith(`${directory}/`);
}
