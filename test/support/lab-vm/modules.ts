import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { moduleName, orderModules } from '../../../stage1-kvm/image/modules.ts';
import { fetchPackage } from '../../../tools/debian.ts';
import { digest } from '../../../tools/digest.ts';
import { buildDir } from '../../../tools/paths.ts';
import { kernel } from '../../../tools/pins.ts';
import { putInPlace } from '../made-once.ts';
import { tool, toolBytes } from '../tool.ts';

/**
 * Modules of the lab's kernel that pods do not need, with all they depend on, and a busybox to load them with. Gives the
 * directory, as the lab sees it: `sh load` in it loads them.
 */
export async function labModules(names: readonly string[]): Promise<string> {
  const folder = join('lab-modules', `${kernel.version}-${digest(...names)}`);
  const directory = join(buildDir, folder);
  if ((await readdir(directory).catch(() => [])).length === 0) await make(directory, names);
  return join('/build', folder);
}

async function make(directory: string, names: readonly string[]): Promise<void> {
  await mkdir(join(buildDir, 'lab-modules'), { recursive: true });
  const work = await mkdtemp(join(buildDir, 'lab-modules', '.work-'));
  try {
    const archive = await fetchPackage(kernel.package, kernel.version, work);
    await tool('dpkg-deb', ['-x', archive, join(work, 'unpacked')]);
    const result = join(work, 'result');
    await mkdir(result);
    const modules = await readModules(join(work, 'unpacked/usr/lib/modules'), names);
    for (const { name, bytes } of modules) await writeFile(join(result, `${name}.ko`), bytes);
    await copyFile('/bin/busybox', join(result, 'busybox'));
    const load = modules.map(({ name }) => `./busybox insmod ./${name}.ko\n`).join('');
    await writeFile(join(result, 'load'), `cd "$(dirname "$0")"\n${load}`);
    putInPlace(result, directory);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function readModules(parent: string, names: readonly string[]) {
  const [release = ''] = await readdir(parent);
  const root = join(parent, release);
  const builtin = (await readFile(join(root, 'modules.builtin'), 'utf8')).split('\n').map(moduleName);
  const files = (await readdir(root, { recursive: true })).filter((file) => file.endsWith('.ko.xz'));
  const paths = new Map(files.map((file) => [moduleName(basename(file)), join(root, file)]));
  return orderModules(names, {
    builtin: new Set(builtin),
    read: async (name) => {
      const path = paths.get(name);
      return path === undefined ? undefined : toolBytes('xz', ['-dc', path]);
    },
  });
}
