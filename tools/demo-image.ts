import { readFile } from 'node:fs/promises';
import { directory, file, symlink } from './stage1/entry.ts';
import { writeTar } from './stage1/tar.ts';

const programs = ['cat', 'echo', 'nc', 'sh', 'sleep', 'uname'];

/** A small appc image around Debian's static busybox: what `rkt run` takes as a local file. */
export async function writeDemoImage(busybox = '/bin/busybox'): Promise<Uint8Array> {
  const manifest = {
    acKind: 'ImageManifest',
    acVersion: '0.8.11',
    name: 'example.com/busybox',
    labels: [
      { name: 'os', value: 'linux' },
      { name: 'arch', value: 'amd64' },
    ],
    app: { exec: ['/bin/sh'], user: '0', group: '0' },
  };
  return writeTar([
    file('manifest', Buffer.from(JSON.stringify(manifest))),
    ...['rootfs', 'rootfs/bin', 'rootfs/tmp'].map((path) => directory(path)),
    file('rootfs/bin/busybox', await readFile(busybox), 0o755),
    ...programs.map((program) => symlink(`rootfs/bin/${program}`, 'busybox')),
  ]);
}
