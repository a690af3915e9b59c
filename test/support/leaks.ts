import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { TestSupportError } from './error.ts';
import { eventually } from './polling.ts';
import type { ProcessScope } from './process-scope.ts';

/** What of the machine a pod could change and leave changed. */
export interface HostState {
  readonly interfaces: readonly string[];
  readonly namedNamespaces: readonly string[];
}

export function hostState(): HostState {
  return { interfaces: namesIn('/sys/class/net'), namedNamespaces: namesIn('/run/netns') };
}

/**
 * Throws, naming every leftover, unless all is gone that pods of `dataDir` had: processes, mounts of this namespace,
 * interfaces, named network namespaces, cgroups, pod directories. The kernel takes a moment to end a killed
 * process and its mounts, so it asks for a while.
 */
export async function assertNothingLeft(
  before: HostState,
  scope: ProcessScope,
  dataDir: string,
  pods: ReadonlySet<string>,
): Promise<void> {
  let found: string[] = [];
  await eventually('nothing left', () => {
    found = leftovers(before, scope, dataDir, pods);
    return found.length === 0;
  }).catch((cause: unknown) => {
    throw new TestSupportError('LEFTOVERS', `left behind:\n  ${found.join('\n  ')}`, { cause });
  });
}

/** What a pod holds while it lives and must not hold after: everything but its own directory. */
export function liveLeftovers(scope: ProcessScope, dataDir: string): string[] {
  const processes = scope
    .processes()
    .map(({ pid, name, argv }) => `process ${pid} ${name} ${argv.join(' ')}`);
  return [...processes, ...mountsOf(dataDir).map((line) => `mount ${line}`)];
}

function leftovers(
  before: HostState,
  scope: ProcessScope,
  dataDir: string,
  pods: ReadonlySet<string>,
): string[] {
  const now = hostState();
  return [
    ...liveLeftovers(scope, dataDir),
    ...added(before.interfaces, now.interfaces).map((name) => `interface ${name}`),
    ...added(before.namedNamespaces, now.namedNamespaces).map((name) => `network namespace ${name}`),
    ...scope.foreignCgroups().map((path) => `cgroup ${path}`),
    ...cgroupsOf(pods).map((path) => `cgroup ${path}`),
    ...podDirectories(dataDir).map((path) => `pod directory ${path}`),
  ];
}

/** Every pod directory, whatever its phase. */
export function podDirectories(dataDir: string): string[] {
  const phases = namesIn(join(dataDir, 'pods'));
  return phases.flatMap((phase) =>
    namesIn(join(dataDir, 'pods', phase)).map((uuid) => join(dataDir, 'pods', phase, uuid)),
  );
}

// Bound namespaces and overlays show in this process's own namespace; a pod's private mounts end with its processes.
function mountsOf(dataDir: string): string[] {
  const lines = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
  return lines.filter((line) => line.includes(dataDir));
}

/** Cgroup directories, in any hierarchy, named after one of these pods. */
export function cgroupsOf(pods: ReadonlySet<string>): string[] {
  const roots = namesIn('/sys/fs/cgroup').map((name) => join('/sys/fs/cgroup', name));
  return pods.size === 0 ? [] : [...new Set(roots.flatMap((root) => search(root, pods)))];
}

function search(directory: string, pods: ReadonlySet<string>): string[] {
  const below = directoriesIn(directory).flatMap((name) => search(join(directory, name), pods));
  return [...pods].some((uuid) => directory.includes(uuid)) ? [directory, ...below] : below;
}

function directoriesIn(path: string): string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name);
  } catch {
    return [];
  }
}

function namesIn(path: string): string[] {
  return existsSync(path) ? directoriesOrLinks(path) : [];
}

function directoriesOrLinks(path: string): string[] {
  try {
    return readdirSync(path).sort();
  } catch {
    return [];
  }
}

function added(before: readonly string[], now: readonly string[]): string[] {
  return now.filter((name) => !before.includes(name));
}
