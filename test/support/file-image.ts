import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { tinyImages } from './images.ts';
import { tool } from './tool.ts';

export interface FileImage {
  readonly name: string;
  readonly exec: readonly string[];
  /** Those of this directory are below /files. */
  readonly files: string;
  readonly ports?: readonly {
    readonly name: string;
    readonly protocol: string;
    readonly port: number;
    readonly socketActivated?: boolean;
  }[];
  readonly isolators?: readonly { readonly name: string; readonly value: unknown }[];
}

/** Writes an ACI: a root of busybox, and files of the test's. */
export async function writeFileImage(
  path: string,
  { name, exec, files, ports = [], isolators = [] }: FileImage,
): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'rkt-file-image-'));
  const labels = { version: '1.0.0', os: 'linux', arch: 'amd64' };
  const manifest = {
    acKind: 'ImageManifest',
    acVersion: '0.8.11',
    name,
    labels: Object.entries(labels).map(([label, value]) => ({ name: label, value })),
    app: { exec, user: '0', group: '0', ports, isolators },
  };
  try {
    const rootfs = join(dirname((await tinyImages()).aci.plain), 'rootfs');
    cpSync(rootfs, join(directory, 'rootfs'), { recursive: true, verbatimSymlinks: true });
    cpSync(files, join(directory, 'rootfs/files'), { recursive: true, verbatimSymlinks: true });
    writeFileSync(join(directory, 'manifest'), JSON.stringify(manifest));
    await tool('tar', ['-C', directory, '--owner=0', '--group=0', '-cf', path, 'manifest', 'rootfs']);
    return path;
  } finally {
    rmSync(directory, { recursive: true });
  }
}
