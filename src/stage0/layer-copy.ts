import { chmodSync, mkdirSync } from 'node:fs';
import { type Descriptor, openDirectory, tryOpenBeneath } from '../os/descriptor.ts';
import { removeName } from '../os/directory-entries.ts';
import { getXattr, statAt } from '../os/file-attributes.ts';
import { listNames, removeTree } from '../os/tree.ts';

const OPAQUE_XATTR = 'trusted.overlay.opaque';

/**
 * Copies layers, the lowest first, into the directory `target`, as overlayfs would show them. Nobody else may write to
 * `target` meanwhile. Throws SystemError and RunError.
 */
export async function copyLayers(layers: readonly string[], target: string): Promise<void> {
  mkdirSync(target, { recursive: true });
  // In a pod it has inherited the setgid bit, which cp would keep and hand down.
  chmodSync(target, 0o755);
  for (const layer of layers) {
    visit(layer, target, makeWay);
    // Loaded when needed: the program that runs programs is larger than all of stage0.
    const { run } = await import('../os/run.ts');
    await run('cp', ['-a', '--reflink=auto', '--', `${layer}/.`, target]);
    visit(layer, target, removeWhiteout);
  }
}

/** Done with each name of a layer and the directory that it goes to; true: go on in the directory of that name. */
type Visit = (from: Descriptor, to: Descriptor, name: Buffer) => boolean;

function visit(layer: string, target: string, act: Visit): void {
  using from = openDirectory(layer);
  using to = openDirectory(target);
  visitDirectory(from, to, act);
}

function visitDirectory(from: Descriptor, to: Descriptor, act: Visit): void {
  for (const name of listNames(from)) {
    if (!act(from, to, name)) continue;
    const [source, destination] = [tryOpenBeneath(from, name), tryOpenBeneath(to, name)];
    if (typeof source === 'number' || typeof destination === 'number') continue;
    using below = source;
    using into = destination;
    visitDirectory(below, into, act);
  }
}

// cp would write through a symlink of a lower layer, and knows nothing of whiteouts: what a name replaces goes first.
const makeWay: Visit = (from, to, name) => {
  const existing = statAt(to, name);
  if (existing === undefined) return false;
  const isMerged = statAt(from, name)?.isDirectory() === true && existing.isDirectory();
  if (isMerged && !isOpaque(from, name)) return true;
  removeTree(to, name);
  return false;
};

const removeWhiteout: Visit = (from, to, name) => {
  const stats = statAt(from, name);
  if (stats?.isCharacterDevice() === true && stats.rdev === 0n) removeName(to, name);
  return stats?.isDirectory() === true;
};

function isOpaque(parent: Descriptor, name: Buffer): boolean {
  const opened = tryOpenBeneath(parent, name);
  if (typeof opened === 'number') return false;
  using directory = opened;
  return getXattr(directory, OPAQUE_XATTR)?.toString() === 'y';
}
