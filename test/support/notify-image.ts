import { copyFileSync, cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { tinyImages } from './images.ts';
import { notifyProgram } from './notify-program.ts';
import { tool } from './tool.ts';

export interface ServiceImage {
  readonly name: string;
  /** Run by the image's shell. */
  readonly script: string;
  readonly notifies?: boolean;
  readonly socketActivated?: boolean;
}

/** Writes an ACI whose app is a script in a root of busybox and `say`, which speaks sd_notify's protocol. */
export async function writeServiceImage(path: string, image: ServiceImage): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'rkt-service-image-'));
  const rootfs = join(dirname((await tinyImages()).aci.plain), 'rootfs');
  try {
    cpSync(rootfs, join(directory, 'rootfs'), { recursive: true, verbatimSymlinks: true });
    copyFileSync(await notifyProgram(), join(directory, 'rootfs/bin/say'));
    writeFileSync(join(directory, 'manifest'), JSON.stringify(manifest(image)));
    await tool('tar', ['-C', directory, '--owner=0', '--group=0', '-cf', path, 'manifest', 'rootfs']);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function manifest({ name, script, notifies = false, socketActivated = false }: ServiceImage) {
  const labels = { version: '1.0.0', os: 'linux', arch: 'amd64' };
  const port = { name: 'http', protocol: 'tcp', port: 80, socketActivated: true };
  return {
    acKind: 'ImageManifest',
    acVersion: '0.8.11',
    name,
    labels: Object.entries(labels).map(([label, value]) => ({ name: label, value })),
    app: {
      exec: ['/bin/sh', '-c', script],
      user: '0',
      group: '0',
      ports: socketActivated ? [port] : [],
    },
    annotations: notifies ? [{ name: 'appc.io/executor/supports-systemd-notify', value: 'true' }] : [],
  };
}
