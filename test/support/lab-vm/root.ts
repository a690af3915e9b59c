import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { digest } from '../../../tools/digest.ts';
import { buildDir } from '../../../tools/paths.ts';
import { debianRelease } from '../../../tools/pins.ts';
import { debianMirrorOfHost } from '../debian-mirror.ts';
import { tool } from '../tool.ts';
import { LAB_FILES, type LabFile, MOUNT_POINTS, NOT_STARTED } from './files.ts';

const PACKAGES = ['systemd-sysv', 'dbus'];

/**
 * The root directory of a small Debian with systemd, made once for each version of its recipe out of packages from
 * this machine's own mirror. Machines share it read-only.
 */
export async function labRoot(): Promise<string> {
  const recipe = readFileSync(fileURLToPath(import.meta.url));
  const key = digest(recipe, debianRelease, JSON.stringify([LAB_FILES, MOUNT_POINTS, NOT_STARTED]));
  const directory = join(buildDir, 'lab-vm', `${debianRelease}-${key}`);
  if (existsSync(directory)) return directory;
  // Made beside its place, so that it is whole or not there.
  const unfinished = `${directory}.${process.pid}`;
  try {
    await debootstrap(unfinished);
    furnish(unfinished);
    renameSync(unfinished, directory);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return directory;
}

async function debootstrap(directory: string): Promise<void> {
  mkdirSync(dirname(directory), { recursive: true });
  const excluded = ['doc', 'locale', 'man'].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`);
  const packages = ['--variant=minbase', `--include=${PACKAGES.join(',')}`, ...excluded];
  await tool('mmdebstrap', [
    '--quiet',
    '--format=directory',
    ...packages,
    debianRelease,
    directory,
    await debianMirrorOfHost(),
  ]);
}

function furnish(root: string): void {
  for (const path of NOT_STARTED) rmSync(join(root, path), { recursive: true, force: true });
  for (const path of MOUNT_POINTS) mkdirSync(join(root, path));
  for (const file of LAB_FILES) put(root, file);
}

function put(root: string, { path, text, mode = 0o644 }: LabFile): void {
  const target = join(root, path);
  mkdirSync(dirname(target), { recursive: true });
  rmSync(target, { force: true });
  writeFileSync(target, text, { mode });
}
