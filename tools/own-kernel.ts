/** Our own kernel: Debian's source, the configuration of `stage1-kvm/kernel/config`; the same bytes from the same compiler, anywhere and at any time. */
import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import { hasPvhEntry } from '../stage1-kvm/image/elf.ts';
import { fetchPackage, type Offer, offers } from './debian.ts';
import { digest } from './digest.ts';
import { run } from './engine.ts';
import { BuildError } from './error.ts';
import { type BuiltKernel, isKernelBuilt, kernelDir } from './kernel.ts';
import {
  droppedOptions,
  formatOptions,
  type KernelOption,
  optionsOf,
  parseKernelConfig,
} from './kernel-config.ts';
import { rootDir } from './paths.ts';
import { debianRelease, kernelSource } from './pins.ts';

export const KERNEL_CONFIG = join(rootDir, 'stage1-kvm/kernel/config');

/** What a kernel says of its build, and would otherwise be of the time and machine. */
const STAMP = {
  LC_ALL: 'C',
  KBUILD_BUILD_TIMESTAMP: 'Thu Jan  1 00:00:00 UTC 1970',
  KBUILD_BUILD_USER: 'rkt',
  KBUILD_BUILD_HOST: 'rkt',
  KBUILD_BUILD_VERSION: '1',
  // Set and empty: nothing is added for a tree that is somebody's work.
  LOCALVERSION: '',
};
const TARGET = 'vmlinux';

/** Makes it, or finds it made. The first time takes a quarter of an hour of one processor, and 3 GB. */
export async function buildOwnKernel(): Promise<BuiltKernel> {
  const key = await ownKernelKey(kernelSource);
  if (await isKernelBuilt(key)) return { key, outcome: 'cached' };
  const source = await chooseSource();
  const chosen = await ownKernelKey(source);
  if (await isKernelBuilt(chosen)) return { key: chosen, outcome: 'cached' };
  await make(source, chosen);
  return { key: chosen, outcome: 'built' };
}

/** The name of its folder, and what it is made of. */
export async function ownKernelKey({ name, version }: Offer): Promise<string> {
  const tools = await Promise.all(['gcc', 'ld'].map((tool) => run(tool, ['--version'])));
  const config = await readFile(KERNEL_CONFIG, 'utf8');
  return `own-${version}-${digest(name, version, config, JSON.stringify([STAMP, TARGET]), ...tools)}`;
}

/** The pin, or the newest where security updates have replaced it, which is said. */
async function chooseSource(): Promise<Offer> {
  const offered = await offers(kernelSource.name);
  if (offered.some(({ version }) => version === kernelSource.version)) return kernelSource;
  const [newest] = offered;
  if (newest === undefined)
    throw new BuildError('NO_SUCH_VERSION', `debian ${debianRelease} has no ${kernelSource.name}`);
  const { name, version } = kernelSource;
  process.stdout.write(`  ${name} ${version} is gone, taking ${newest.version}\n`);
  return newest;
}

async function make(source: Offer, key: string): Promise<void> {
  const options = optionsOf(parseKernelConfig(await readFile(KERNEL_CONFIG, 'utf8')));
  await mkdir(kernelDir, { recursive: true });
  const work = await mkdtemp(join(kernelDir, '.own-'));
  try {
    const tree = await unpackSource(source, work);
    await configure(tree, options);
    // What `uname -v` tells of the version.
    const named = { KBUILD_BUILD_VERSION_TIMESTAMP: `Debian ${source.version}` };
    await kernelMake(tree, [`-j${availableParallelism()}`, TARGET], named);
    await rename(await collect(tree, work), join(kernelDir, key)).catch(async (error: unknown) => {
      if (!(await isKernelBuilt(key))) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function unpackSource({ name, version }: Offer, work: string): Promise<string> {
  const archive = await fetchPackage(name, version, work);
  await run('dpkg-deb', ['-x', basename(archive), 'unpacked'], work);
  await run('tar', ['-xf', `unpacked/usr/src/${name}.tar.xz`], work);
  return join(work, name);
}

/** Before a minute is spent on compiling, an option that kconfig does not take ends it. */
async function configure(tree: string, options: readonly KernelOption[]): Promise<void> {
  await writeFile(join(tree, 'wanted.config'), formatOptions(options));
  await kernelMake(tree, ['KCONFIG_ALLCONFIG=wanted.config', 'allnoconfig']);
  const dropped = droppedOptions(options, await readFile(join(tree, '.config'), 'utf8'));
  if (dropped.length === 0) return;
  const list = dropped.map(({ name, value }) => `${name}=${value}`).join(', ');
  throw new BuildError('BAD_CONFIG', `${KERNEL_CONFIG}: the kernel's configuration drops ${list}`);
}

/** In the order of `loadKernel`; configuration and addresses are for people. */
async function collect(tree: string, work: string): Promise<string> {
  const result = join(work, 'result');
  await mkdir(result);
  await run('strip', ['--strip-all', '-o', join(result, 'vmlinux'), join(tree, TARGET)]);
  if (!hasPvhEntry(await readFile(join(result, 'vmlinux'))))
    throw new BuildError('BAD_KERNEL', 'our kernel has no PVH entry point');
  await rename(join(tree, '.config'), join(result, 'config'));
  await rename(join(tree, 'System.map'), join(result, 'System.map'));
  await writeFile(join(result, 'modules'), '');
  return result;
}

async function kernelMake(
  tree: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const { PATH } = process.env;
  try {
    await execa('make', ['-s', 'ARCH=x86_64', ...args], {
      cwd: tree,
      stdin: 'ignore',
      // Nothing of the caller's: make and kconfig listen to many names.
      extendEnv: false,
      env: { PATH, ...STAMP, ...env },
    });
  } catch (cause) {
    throw new BuildError('COMMAND_FAILED', `make ${args.join(' ')} failed`, { cause });
  }
}
