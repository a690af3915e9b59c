import { type BigIntStats, chmodSync, fstatSync, mkdirSync } from 'node:fs';
import { type Descriptor, openDirectory, tryOpenBeneath } from '../os/descriptor.ts';
import { removeName } from '../os/directory-entries.ts';
import { changeTimes, getXattr, removeXattr, statAt, type Time } from '../os/file-attributes.ts';
import { listNames, removeTree } from '../os/tree.ts';

const OPAQUE_XATTR = 'trusted.overlay.opaque';
const SECOND = 1_000_000_000n;

/**
 * Copies layers, the lowest first, into the directory `target`, as overlayfs would show them. Nobody else may write to
 * `target` meanwhile. Throws SystemError and RunError.
 */
export async function copyLayers(layers: readonly string[], target: string): Promise<void> {
  mkdirSync(target, { recursive: true });
  // In a pod it has inherited the setgid bit, which cp would keep and hand down.
  chmodSync(target, 0o755);
  for (const layer of layers) {
    visit(layer, target, { name: makeWay });
    // Loaded when needed: the program that runs programs is larger than all of stage0.
    const { run } = await import('../os/run.ts');
    await run('cp', ['-a', '--reflink=auto', '--', `${layer}/.`, target]);
    visit(layer, target, { name: removeMarks, done: copyTimes });
  }
}

interface Visit {
  /** Done with each name of a layer and the directory that it goes to; true: go on in the directory of that name. */
  readonly name: (from: Descriptor, to: Descriptor, name: Buffer) => boolean;
  /** Done with each directory after its names. */
  readonly done?: (from: Descriptor, to: Descriptor) => void;
}

function visit(layer: string, target: string, act: Visit): void {
  using from = openDirectory(layer);
  using to = openDirectory(target);
  visitDirectory(from, to, act);
}

function visitDirectory(from: Descriptor, to: Descriptor, act: Visit): void {
  for (const name of listNames(from)) {
    if (!act.name(from, to, name)) continue;
    const [source, destination] = [tryOpenBeneath(from, name), tryOpenBeneath(to, name)];
    if (typeof source === 'number' || typeof destination === 'number') continue;
    using below = source;
    using into = destination;
    visitDirectory(below, into, act);
  }
  act.done?.(from, to);
}

// cp would write through a symlink of a lower layer, and knows nothing of whiteouts: what a name replaces goes first.
const makeWay: Visit['name'] = (from, to, name) => {
  const existing = statAt(to, name);
  if (existing === undefined) return false;
  const isMerged = statAt(from, name)?.isDirectory() === true && existing.isDirectory();
  if (isMerged && !isOpaque(from, name)) return true;
  removeTree(to, name);
  return false;
};

// What tells overlayfs of lower layers tells nobody anything in a copy.
const removeMarks: Visit['name'] = (from, to, name) => {
  const stats = statAt(from, name);
  if (stats?.isCharacterDevice() === true && stats.rdev === 0n) removeName(to, name);
  if (stats?.isDirectory() !== true) return false;
  if (isOpaque(from, name)) removeOpaque(to, name);
  return true;
};

// To remove a name from a directory is to change it.
function copyTimes(from: Descriptor, to: Descriptor): void {
  changeTimes(to, timeOf(fstatSync(from.fd, { bigint: true })));
}

function timeOf({ mtimeNs }: BigIntStats): Time {
  const nanoseconds = ((mtimeNs % SECOND) + SECOND) % SECOND;
  return { seconds: Number((mtimeNs - nanoseconds) / SECOND), nanoseconds: Number(nanoseconds) };
}

function removeOpaque(parent: Descriptor, name: Buffer): void {
  const opened = tryOpenBeneath(parent, name);
  if (typeof opened === 'number') return;
  using directory = opened;
  removeXattr(directory, OPAQUE_XATTR);
}

function isOpaque(parent: Descriptor, name: Buffer): boolean {
  const opened = tryOpenBeneath(parent, name);
  if (typeof opened === 'number') return false;
  using directory = opened;
  return getXattr(directory, OPAQUE_XATTR)?.toString() === 'y';
}
