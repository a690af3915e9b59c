import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ImageBuildError } from '../../tools/stage1/error.ts';
import { parseBzImage } from './bzimage.ts';
import { hasPvhEntry } from './elf.ts';
import { type KernelModule, moduleName, orderModules, wantedModules } from './modules.ts';

/** What every kernel says first. */
const BANNER = 'Linux version ';

export type Kernel = { readonly vmlinux: Uint8Array; readonly modules: readonly KernelModule[] };

/**
 * Takes what a pod needs from an unpacked Debian kernel package: the kernel itself, unpacked so that no
 * guest spends time on it at boot, and the modules in the order to load them.
 */
export async function readKernel(packageDir: string): Promise<Kernel> {
  const [vmlinux, modules] = await Promise.all([readVmlinux(packageDir), readModules(packageDir)]);
  return { vmlinux, modules };
}

/** What `uname -r` says in a machine that runs it. */
export function kernelRelease(vmlinux: Uint8Array): string {
  const bytes = Buffer.from(vmlinux.buffer, vmlinux.byteOffset, vmlinux.byteLength);
  const at = bytes.indexOf(BANNER, 0, 'latin1');
  const release = /^\S+/.exec(bytes.toString('latin1', at + BANNER.length, at + BANNER.length + 128))?.[0];
  if (at < 0 || release === undefined)
    throw new ImageBuildError('BAD_KERNEL', 'kernel does not say its release');
  return release;
}

async function readVmlinux(packageDir: string): Promise<Uint8Array> {
  const bootDir = join(packageDir, 'boot');
  const name = (await readdir(bootDir)).find((file) => file.startsWith('vmlinuz-'));
  if (name === undefined) throw new ImageBuildError('BAD_KERNEL', `no vmlinuz in ${bootDir}`);
  const payload = parseBzImage(await readFile(join(bootDir, name)));
  const vmlinux = await unpack('zstd', payload.zstd);
  if (vmlinux.length !== payload.unpackedSize) {
    throw new ImageBuildError(
      'BAD_KERNEL',
      `${name} unpacks to ${vmlinux.length}, not ${payload.unpackedSize} bytes`,
    );
  }
  if (!hasPvhEntry(vmlinux)) throw new ImageBuildError('BAD_KERNEL', `${name} has no PVH entry point`);
  return vmlinux;
}

async function readModules(packageDir: string): Promise<KernelModule[]> {
  // Merged /usr: newer packages put modules below usr/lib.
  const parents = [join(packageDir, 'usr/lib/modules'), join(packageDir, 'lib/modules')];
  const [release] = (await Promise.all(parents.map(releasesIn))).flat();
  if (release === undefined) throw new ImageBuildError('BAD_KERNEL', `no lib/modules in ${packageDir}`);
  const builtin = (await readFile(join(release, 'modules.builtin'), 'utf8')).split('\n').map(moduleName);
  const files = (await readdir(release, { recursive: true })).filter((file) =>
    /\.ko(\.xz|\.zst)?$/.test(file),
  );
  const paths = new Map(files.map((file) => [moduleName(file), join(release, file)]));
  return orderModules(wantedModules, {
    builtin: new Set(builtin),
    read: async (name) => {
      const path = paths.get(name);
      return path === undefined ? undefined : readUnpacked(path);
    },
  });
}

async function releasesIn(dir: string): Promise<string[]> {
  return (await readdir(dir).catch(() => [])).map((name) => join(dir, name));
}

async function readUnpacked(path: string): Promise<Uint8Array> {
  const bytes = await readFile(path);
  if (path.endsWith('.xz')) return unpack('xz', bytes);
  return path.endsWith('.zst') ? unpack('zstd', bytes) : bytes;
}

// Node 20 has neither format in its zlib.
function unpack(tool: 'zstd' | 'xz', packed: Uint8Array): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const child = execFile(tool, ['-dcq'], { encoding: 'buffer', maxBuffer: 2 ** 30 }, (cause, stdout) => {
      if (cause === null) resolve(stdout);
      else reject(new ImageBuildError('BAD_KERNEL', `${tool} cannot unpack a part of the kernel`, { cause }));
    });
    child.stdin?.on('error', () => undefined).end(packed);
  });
}
