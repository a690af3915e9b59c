import { mkdir, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { basename, dirname, join, relative } from 'node:path';
import { PLUGIN_NAMES } from '../cni-plugins/names.ts';
import { artefacts } from './paths.ts';

/** Makes the links by which the program of the CNI plugins is called, and takes away those of plugins that have gone. */
export async function linkCniPlugins(program: string): Promise<void> {
  const directory = artefacts.cniDirectory;
  const target = join(relative(directory, dirname(program)), basename(program));
  await mkdir(directory, { recursive: true });
  const names: readonly string[] = PLUGIN_NAMES;
  const old = (await readdir(directory)).filter((name) => !names.includes(name));
  await Promise.all(old.map((name) => rm(join(directory, name))));
  await Promise.all(names.map((name) => linkTo(target, join(directory, name))));
}

async function linkTo(target: string, path: string): Promise<void> {
  if ((await readlink(path).catch(() => '')) === target) return;
  await rm(path, { force: true });
  await symlink(target, path);
}
