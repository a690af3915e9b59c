import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ImageRecord, Store } from '../../src/store/index.ts';
import { tool } from './tool.ts';
import { treeListing } from './tree-listing.ts';

/** What a pod would see of an image: its layers, stacked. */
export function stackedTree(store: Store, record: ImageRecord): string[] {
  const lower = record.layers.map((layer) => store.layerPath(layer)).reverse();
  if (lower.length === 1 && lower[0] !== undefined) return treeListing(lower[0]);
  const target = mkdtempSync(join(tmpdir(), 'rkt-stacked-'));
  // One page of options holds few absolute paths.
  const names = record.layers.map((layer) => store.layerName(layer)).reverse();
  const options = `ro,lowerdir=${names.join(':')}`;
  execFileSync('mount', ['-t', 'overlay', 'overlay', '-o', options, target], { cwd: store.layerDirectory });
  try {
    return treeListing(target);
  } finally {
    execFileSync('umount', [target]);
    rmSync(target, { recursive: true });
  }
}

/** What umoci makes of an image in a layout. */
export async function umociTree(layout: string, tag = 'latest'): Promise<string[]> {
  const directory = mkdtempSync(join(tmpdir(), 'rkt-umoci-'));
  try {
    const bundle = join(directory, 'bundle');
    await tool('umoci', ['unpack', '--image', `${layout}:${tag}`, bundle]);
    return treeListing(join(bundle, 'rootfs'));
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
