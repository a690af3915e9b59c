import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { debianRoot } from '../debian-root.ts';
import { LAB_FILES, type LabFile, MOUNT_POINTS, NOT_STARTED } from './files.ts';

const PACKAGES = ['systemd-sysv', 'dbus'];

/** The root directory of a small Debian with systemd. Machines share it read-only. */
export function labRoot(): Promise<string> {
  const recipe = readFileSync(fileURLToPath(import.meta.url), 'utf8');
  const files = JSON.stringify([LAB_FILES, MOUNT_POINTS, NOT_STARTED]);
  return debianRoot('lab-vm', PACKAGES, furnish, recipe + files);
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
