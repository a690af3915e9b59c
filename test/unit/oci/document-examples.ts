import { type Manifest, parseDocument } from '../../../src/oci/document.ts';

export const sha = (digit: string) => `sha256:${digit.repeat(64)}`;

export const ociTypes = {
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
};

export const dockerTypes = {
  manifest: 'application/vnd.docker.distribution.manifest.v2+json',
  index: 'application/vnd.docker.distribution.manifest.list.v2+json',
  config: 'application/vnd.docker.container.image.v1+json',
  layer: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
};

export const descriptor = (mediaType: string, digit: string, more: object = {}) => ({
  mediaType,
  digest: sha(digit),
  size: 100,
  ...more,
});

export const manifestOf = (types: typeof ociTypes) => ({
  schemaVersion: 2,
  mediaType: types.manifest,
  config: descriptor(types.config, 'c'),
  layers: [descriptor(types.layer, '1'), descriptor(types.layer, '2')],
});

export const indexOf = (types: typeof ociTypes) => ({
  schemaVersion: 2,
  mediaType: types.index,
  manifests: [
    descriptor(types.manifest, 'a', { platform: { os: 'linux', architecture: 'amd64' } }),
    descriptor(types.manifest, 'b', { platform: { os: 'linux', architecture: 'arm', variant: 'v6' } }),
    descriptor(types.manifest, 'c', { platform: { os: 'linux', architecture: 'arm', variant: 'v7' } }),
    descriptor(types.manifest, 'd', { platform: { os: 'unknown', architecture: 'unknown' } }),
  ],
});

export const config = {
  created: '2015-10-31T22:22:56.015925234Z',
  author: 'Alyssa P. Hacker <alyspdev@example.com>',
  architecture: 'amd64',
  os: 'linux',
  config: {
    User: 'alice:staff',
    ExposedPorts: { '8080/tcp': {}, '53/udp': {} },
    Env: ['PATH=/usr/bin:/bin', 'FOO=a=b', 'EMPTY=', 'FOO=c'],
    Entrypoint: ['/bin/my-app-binary'],
    Cmd: ['--foreground', '--config', '/etc/my-app.d/default.cfg'],
    Volumes: { '/var/job-result-data': {}, '/var/log/my-app-logs': {} },
    WorkingDir: '/home/alice',
    Labels: { 'com.example.project': 'x' },
    StopSignal: 'SIGQUIT',
  },
  rootfs: { type: 'layers', diff_ids: [sha('8'), sha('9')] },
  history: [{ created: '2015-10-31T22:22:54.690851953Z', created_by: '/bin/sh', empty_layer: true }],
};

/** The manifest that the text of a document must be. */
export function parsedManifest(json: unknown, mediaType?: string): Manifest {
  const document = parseDocument(json, mediaType);
  if (document.kind !== 'manifest') throw new Error('not a manifest');
  return document;
}
