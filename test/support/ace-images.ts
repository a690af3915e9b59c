import { chmodSync, copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { labelsOf } from './image-files.ts';
import { tinyImages } from './images.ts';
import { tool } from './tool.ts';

const VALIDATOR = fileURLToPath(new URL('./ace-validator/ace-validator', import.meta.url));

const base = {
  acKind: 'ImageManifest',
  acVersion: '0.8.11',
  labels: labelsOf({ version: '0.8.11' }),
};

/** Of both apps. */
const MOUNT_POINTS = [{ name: 'database', path: '/db', readOnly: false }];

/** The manifests of appc's validator. */
const MANIFESTS = {
  main: {
    ...base,
    name: 'coreos.com/ace-validator-main',
    app: {
      exec: ['/ace-validator', 'main'],
      eventHandlers: [
        { name: 'pre-start', exec: ['/ace-validator', 'prestart'] },
        { name: 'post-stop', exec: ['/ace-validator', 'poststop'] },
      ],
      user: '0',
      group: '0',
      workingDirectory: '/opt/acvalidator',
      environment: [{ name: 'IN_ACE_VALIDATOR', value: 'correct' }],
      isolators: [{ name: 'resource/memory', value: { limit: '1G' } }],
      mountPoints: MOUNT_POINTS,
      ports: [{ name: 'www', protocol: 'tcp', port: 80 }],
    },
    annotations: [
      { name: 'created', value: '2014-10-27T19:32:27.67021798Z' },
      { name: 'authors', value: 'Carly Container <carly@example.com>, Nat Network <nat@example.com>' },
      { name: 'homepage', value: 'https://github.com/coreos/rkt' },
      { name: 'documentation', value: 'https://github.com/appc/spec/blob/master/SPEC.md' },
      { name: 'lorem', value: 'ipsum' },
    ],
  },
  sidekick: {
    ...base,
    name: 'coreos.com/ace-validator-sidekick',
    app: { exec: ['/ace-validator', 'sidekick'], user: '0', group: '0', mountPoints: MOUNT_POINTS },
  },
};

export type AceApp = keyof typeof MANIFESTS;

/** Writes an image of the validator into the directory. Gives its path. */
export async function writeAceImage(directory: string, app: AceApp): Promise<string> {
  const image = join(directory, `ace-validator-${app}.aci`);
  const work = mkdtempSync(join(tmpdir(), 'rkt-ace-'));
  const rootfs = join(work, 'rootfs');
  try {
    cpSync(join(dirname((await tinyImages()).aci.plain), 'rootfs'), rootfs, {
      recursive: true,
      verbatimSymlinks: true,
    });
    copyFileSync(VALIDATOR, join(rootfs, 'ace-validator'));
    chmodSync(join(rootfs, 'ace-validator'), 0o755);
    mkdirSync(join(rootfs, 'opt/acvalidator'), { recursive: true });
    writeFileSync(join(work, 'manifest'), JSON.stringify(MANIFESTS[app]));
    await tool('tar', ['-C', work, '--owner=0', '--group=0', '-cf', image, 'manifest', 'rootfs']);
  } finally {
    rmSync(work, { recursive: true });
  }
  return image;
}
