import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { rootDir } from '../../tools/paths.ts';
import type { PulledImage } from './layout.ts';

export const REPOSITORY = 'bench';

/** Something that brings an image from a registry to where it can be run from. */
export interface Client {
  readonly name: string;
  /** One after the other; all that they write is below `directory`. */
  commands(directory: string, image: PulledImage): readonly (readonly string[])[];
}

/** `registry`: `HOST:PORT`, spoken to in plain http. */
export function clients(registry: string): readonly [rkt: Client, ...others: Client[]] {
  const reference = (image: PulledImage) => `${registry}/${REPOSITORY}:${image}`;
  return [
    {
      name: 'rkt fetch',
      commands: (directory, image) => [
        [...rkt(directory), '--insecure-options=image,http', 'fetch', `docker://${reference(image)}`],
      ],
    },
    {
      name: 'skopeo copy, umoci unpack',
      commands: (directory, image) => {
        const layout = join(directory, 'layout');
        const copy = ['copy', '-q', '--src-tls-verify=false', `docker://${reference(image)}`];
        return [
          ['skopeo', '--insecure-policy', ...copy, `oci:${layout}:${image}`],
          ['umoci', 'unpack', '--image', `${layout}:${image}`, join(directory, image)],
        ];
      },
    },
    {
      name: 'podman pull',
      commands: (directory, image) => {
        const storage = ['--root', join(directory, 'storage'), '--runroot', join(directory, 'run')];
        const flags = [...storage, '--storage-driver=overlay', '--cgroup-manager=cgroupfs'];
        return [['podman', ...flags, 'pull', '-q', '--tls-verify=false', reference(image)]];
      },
    },
  ];
}

/** An rkt of its own: data and configuration below a directory. */
export function rkt(directory: string): string[] {
  const [local, system] = [join(directory, 'etc'), join(directory, 'lib')];
  for (const path of [local, system]) mkdirSync(path, { recursive: true });
  const flags = [`--dir=${join(directory, 'data')}`, `--local-config=${local}`, `--system-config=${system}`];
  return [join(rootDir, 'bin', 'rkt'), ...flags];
}
