import { ImageBuildError } from '../../tools/stage1/error.ts';

/** A kernel module ready to load: its name as the kernel knows it, and its ELF bytes. */
export type KernelModule = { readonly name: string; readonly bytes: Uint8Array };

/** What a kernel package holds of modules: those in the kernel, and a reader for those that are files. */
export type ModuleSource = {
  readonly builtin: ReadonlySet<string>;
  /** The unpacked bytes of a module's file; undefined when there is none. */
  read(name: string): Promise<Uint8Array | undefined>;
};

// What Debian's cloud kernel does not have built in and a pod needs. Everything on the way to the control
// channel (virtio, PCI, console, fuse, virtiofs) is built in, so these load after the first answer.
export const wantedModules = [
  ...['overlay', 'erofs', 'virtio_rng', 'virtio_blk', 'virtio_net', 'virtio_balloon'],
  ...['dm_verity', 'sha256_ssse3'],
] as const;

/** `foo-bar.ko.xz` and `foo_bar` are the same module. */
export function moduleName(path: string): string {
  return path
    .replace(/^.*\//, '')
    .replace(/\.ko(\.\w+)?$/, '')
    .replaceAll('-', '_');
}

/** Reads the wanted modules and all they depend on, each after its dependencies: the order to load them in. */
export async function orderModules(wanted: readonly string[], source: ModuleSource): Promise<KernelModule[]> {
  const ordered = new Map<string, KernelModule>();
  const add = async (name: string, neededBy: string): Promise<void> => {
    if (ordered.has(name) || source.builtin.has(name)) return;
    const signed = await source.read(name);
    if (signed === undefined) {
      throw new ImageBuildError('MISSING_MODULE', `kernel has no module ${name}, needed by ${neededBy}`);
    }
    for (const dependency of dependencies(signed)) await add(dependency, name);
    ordered.set(name, { name, bytes: withoutSignature(signed) });
  };
  for (const name of wanted) await add(name, 'every pod');
  return [...ordered.values()];
}

/** The `depends=` line of a module's `.modinfo` section. */
export function dependencies(module: Uint8Array): string[] {
  const bytes = Buffer.from(module.buffer, module.byteOffset, module.byteLength);
  const key = '\0depends=';
  const at = bytes.indexOf(key, 0, 'latin1');
  if (at < 0) return [];
  const start = at + key.length;
  const names = bytes.toString('latin1', start, bytes.indexOf(0, start));
  return names
    .split(',')
    .filter((name) => name !== '')
    .map(moduleName);
}

const signatureMarker = '~Module signature appended~\n';
const signatureInfoSize = 12;

/** Drops an appended signature (struct module_signature, then the marker): checking it costs boot time. */
export function withoutSignature(module: Uint8Array): Uint8Array {
  const markerAt = module.byteLength - signatureMarker.length;
  const tail = Buffer.from(module.subarray(Math.max(markerAt, 0))).toString('latin1');
  if (tail !== signatureMarker) return module;
  const view = new DataView(module.buffer, module.byteOffset, module.byteLength);
  const signatureSize = view.getUint32(markerAt - 4, false);
  return module.subarray(0, markerAt - signatureInfoSize - signatureSize);
}
