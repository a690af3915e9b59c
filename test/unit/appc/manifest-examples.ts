/** Manifests with every member, in the order that the Go schema writes. */
export const fullApp = {
  exec: ['/usr/bin/reduce-worker', '--quiet'],
  eventHandlers: [
    { name: 'pre-start', exec: ['/usr/bin/data-downloader'] },
    { name: 'post-stop', exec: ['/usr/bin/deregister-worker', '--verbose'] },
  ],
  user: '100',
  group: '300',
  supplementaryGIDs: [400, 500],
  workingDirectory: '/opt/work',
  environment: [{ name: 'REDUCE_WORKER_DEBUG', value: 'true' }],
  mountPoints: [
    { name: 'work', path: '/var/lib/work' },
    { name: 'ro', path: '/ro', readOnly: true },
  ],
  ports: [{ name: 'health', protocol: 'tcp', port: 4000, count: 2, socketActivated: true }],
  isolators: [
    { name: 'resource/cpu', value: { default: false, request: '250m', limit: '500m' } },
    { name: 'os/linux/capabilities-retain-set', value: { set: ['CAP_NET_BIND_SERVICE'] } },
    { name: 'example.com/other', value: { a: [1, 'x', null] } },
  ],
  userAnnotations: { a: 'b' },
  userLabels: { department: 'accounting', z: '' },
};

export const fullImage = {
  acKind: 'ImageManifest',
  acVersion: '0.8.11',
  name: 'example.com/reduce-worker',
  labels: [
    { name: 'version', value: '1.0.0' },
    { name: 'os', value: 'linux' },
    { name: 'arch', value: 'amd64' },
  ],
  app: fullApp,
  annotations: [
    { name: 'authors', value: 'Carly Container <carly@example.com>' },
    { name: 'created', value: '2014-10-27T19:32:27.67021798Z' },
    { name: 'homepage', value: 'https://example.com' },
  ],
  dependencies: [
    {
      imageName: 'example.com/reduce-worker-base',
      imageID: `sha512-${'0a'.repeat(64)}`,
      labels: [{ name: 'os', value: 'linux' }],
      size: 22017258,
    },
  ],
  pathWhitelist: ['/etc/ca/example.com/crt', '/usr/bin/map-reduce-worker'],
};

export const fullPod = {
  acVersion: '0.8.11',
  acKind: 'PodManifest',
  apps: [
    {
      name: 'reduce-worker',
      image: {
        name: 'example.com/reduce-worker',
        id: `sha512-${'ab'.repeat(32)}`,
        labels: [{ name: 'version', value: '1.0.0' }],
      },
      app: fullApp,
      readOnlyRootFS: true,
      mounts: [
        { volume: 'work', path: '/var/lib/work' },
        {
          volume: 'own',
          path: '/own',
          appVolume: { name: 'own', kind: 'host', source: '/srv', recursive: false },
        },
      ],
      annotations: [{ name: 'foo', value: 'baz' }],
    },
    { name: 'backup', image: { id: `sha256-${'cd'.repeat(32)}` } },
  ],
  volumes: [
    { name: 'work', kind: 'host', source: '/opt/tenant1/work', readOnly: true, recursive: true },
    { name: 'database', kind: 'empty', mode: '0700', uid: 1, gid: 2 },
  ],
  isolators: [{ name: 'resource/memory', value: { default: false, limit: '4G' } }],
  annotations: [{ name: 'ip-address', value: '10.1.2.3' }],
  ports: [
    { name: 'ftp', hostPort: 2121 },
    {
      name: 'www',
      hostPort: 80,
      hostIP: '127.0.0.1',
      podPort: { name: 'www', protocol: 'tcp', port: 8080, count: 1, socketActivated: false },
    },
  ],
  userAnnotations: { a: 'b' },
  userLabels: { c: 'd' },
};
