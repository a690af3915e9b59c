import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { type Kernel, readKernel } from '../stage1-kvm/image/kernel.ts';
import { fetchPackage, newestMatching, type Offer, offers } from './debian.ts';
import { digest, digestFiles } from './digest.ts';
import { BuildError } from './error.ts';
import { buildDir, rootDir } from './paths.ts';
import { debianRelease, kernel as pin } from './pins.ts';

/** A folder for each kernel, by its key. */
export const kernelDir = join(buildDir, 'kernel');

/** A kernel as it lies in the build folder; the key names the folder and stands for the content. */
export type BuiltKernel = { readonly key: string; readonly outcome: 'built' | 'cached' };

/** Takes the pinned kernel out of Debian's package, or finds it taken already, without asking the mirror. */
export async function buildKernel(): Promise<BuiltKernel> {
  const pinned = { name: pin.package, version: pin.version };
  const recipe = await digestFiles(rootDir, ['stage1-kvm/image']);
  const wanted = keyOf(pinned, recipe);
  if (await isKernelBuilt(wanted)) return { key: wanted, outcome: 'cached' };
  const chosen = await choose(pinned);
  const key = keyOf(chosen, recipe);
  if (await isKernelBuilt(key)) return { key, outcome: 'cached' };
  await make(chosen, key);
  return { key, outcome: 'built' };
}

/** Reads a built kernel back. */
export async function loadKernel(key: string): Promise<Kernel> {
  const dir = join(kernelDir, key);
  const names = (await readFile(join(dir, 'modules'), 'utf8')).split('\n').filter((name) => name !== '');
  const read = async (name: string) => ({ name, bytes: await readFile(join(dir, `${name}.ko`)) });
  return { vmlinux: await readFile(join(dir, 'vmlinux')), modules: await Promise.all(names.map(read)) };
}

/** The pin, or when security updates have replaced it, the newest of its series, which is said. */
async function choose(pinned: Offer): Promise<Offer> {
  const exact = (await offers(pinned.name)).some(({ version }) => version === pinned.version);
  if (exact) return pinned;
  const series = pin.series.replaceAll('.', '\\.');
  const [newest] = await newestMatching(
    `linux-image-${pin.series}`,
    new RegExp(`^linux-image-${series}\\.[0-9.]+\\+deb\\S*-cloud-amd64$`),
  );
  if (newest === undefined) {
    throw new BuildError(
      'NO_SUCH_VERSION',
      `debian ${debianRelease} has no cloud kernel of series ${pin.series} (tools/pins.ts)`,
    );
  }
  process.stdout.write(
    `  ${pinned.name} ${pinned.version} is gone, taking ${newest.name} ${newest.version}\n`,
  );
  return newest;
}

async function make(chosen: Offer, key: string): Promise<void> {
  await mkdir(kernelDir, { recursive: true });
  const work = await mkdtemp(join(kernelDir, '.work-'));
  try {
    const archive = await fetchPackage(chosen.name, chosen.version, work);
    await execa('dpkg-deb', ['-x', basename(archive), 'unpacked'], { cwd: work });
    const { vmlinux, modules } = await readKernel(join(work, 'unpacked'));
    const result = join(work, 'result');
    await mkdir(result);
    await writeFile(join(result, 'vmlinux'), vmlinux);
    for (const { name, bytes } of modules) await writeFile(join(result, `${name}.ko`), bytes);
    await writeFile(join(result, 'modules'), modules.map(({ name }) => `${name}\n`).join(''));
    await rename(result, join(kernelDir, key)).catch(async (error: unknown) => {
      // Another build finished first: its result is the same.
      if (!(await isKernelBuilt(key))) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function keyOf({ name, version }: Offer, recipe: string): string {
  return `${version}-${digest(name, version, recipe)}`;
}

export async function isKernelBuilt(key: string): Promise<boolean> {
  return readFile(join(kernelDir, key, 'modules')).then(
    () => true,
    () => false,
  );
}
