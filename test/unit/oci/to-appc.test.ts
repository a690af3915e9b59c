import { describe, expect, test } from 'vitest';
import { formatImageManifest, parseImageManifest } from '../../../src/appc/image-manifest.ts';
import { absolutePath } from '../../../src/appc/volume.ts';
import { parseImageConfig } from '../../../src/oci/config.ts';
import { parseDigest } from '../../../src/oci/digest.ts';
import { environmentOf, mountPointsOf, portsOf, userOf } from '../../../src/oci/execution.ts';
import { type ImageSource, toImageManifest } from '../../../src/oci/to-appc.ts';
import { config, sha } from './document-examples.ts';

const source: ImageSource = {
  name: 'registry-1.docker.io/library/Busy_Box',
  tag: 'latest',
  originalName: 'docker://busybox',
  registry: 'registry-1.docker.io',
  repository: 'library/Busy_Box',
  configDigest: parseDigest(sha('c')),
  manifestDigest: parseDigest(sha('d')),
};

describe('an image in the words of appc', () => {
  const manifest = toImageManifest(parseImageConfig(config), source);

  test('is what docker2aci makes of it', () => {
    expect(JSON.parse(formatImageManifest(manifest))).toEqual({
      acKind: 'ImageManifest',
      acVersion: '0.8.11',
      name: 'registry-1.docker.io/library/busy_box',
      labels: [
        { name: 'version', value: 'latest' },
        { name: 'os', value: 'linux' },
        { name: 'arch', value: 'amd64' },
      ],
      app: {
        exec: ['/bin/my-app-binary', '--foreground', '--config', '/etc/my-app.d/default.cfg'],
        user: 'alice',
        group: 'staff',
        workingDirectory: '/home/alice',
        environment: [
          { name: 'PATH', value: '/usr/bin:/bin' },
          { name: 'FOO', value: 'c' },
          { name: 'EMPTY', value: '' },
        ],
        mountPoints: [
          { name: 'volume-var-job-result-data', path: '/var/job-result-data' },
          { name: 'volume-var-log-my-app-logs', path: '/var/log/my-app-logs' },
        ],
        ports: [
          { name: '53-udp', protocol: 'udp', port: 53, count: 1, socketActivated: false },
          { name: '8080-tcp', protocol: 'tcp', port: 8080, count: 1, socketActivated: false },
        ],
        userLabels: { 'com.example.project': 'x' },
      },
      annotations: [
        { name: 'author', value: 'Alyssa P. Hacker <alyspdev@example.com>' },
        { name: 'created', value: '2015-10-31T22:22:56.015925234Z' },
        { name: 'appc.io/docker/originalname', value: 'docker://busybox' },
        { name: 'appc.io/docker/registryurl', value: 'registry-1.docker.io' },
        { name: 'appc.io/docker/repository', value: 'library/Busy_Box' },
        { name: 'appc.io/docker/tag', value: 'latest' },
        { name: 'appc.io/docker/imageid', value: sha('c') },
        { name: 'appc.io/docker/manifesthash', value: sha('d') },
        { name: 'appc.io/docker/entrypoint', value: '["/bin/my-app-binary"]' },
        { name: 'appc.io/docker/cmd', value: '["--foreground","--config","/etc/my-app.d/default.cfg"]' },
        { name: 'org.opencontainers.image.stopsignal', value: 'SIGQUIT' },
      ],
    });
  });

  test('is a valid image manifest', () => {
    expect(parseImageManifest(JSON.parse(formatImageManifest(manifest)))).toEqual(manifest);
  });

  test('that says little is run by root, from the top', () => {
    const bare = { os: 'linux', architecture: 'arm64', rootfs: { type: 'layers', diff_ids: [] } };
    const { tag: _, ...untagged } = source;
    const { app, labels } = toImageManifest(parseImageConfig(bare), untagged);
    expect(app).toMatchObject({
      exec: [],
      user: '0',
      group: '0',
      environment: [],
      mountPoints: [],
      ports: [],
    });
    expect(app).not.toHaveProperty('workingDirectory');
    expect(labels.map(({ value }) => value)).toEqual(['linux', 'aarch64']);
  });

  test('a date that is none is left out', () => {
    const { annotations } = toImageManifest(parseImageConfig({ ...config, created: 'yesterday' }), source);
    expect(annotations.map(({ name }) => name)).not.toContain('created');
  });
});

test.each([
  ['', '0', '0'],
  ['alice', 'alice', 'alice'],
  ['1000', '1000', '1000'],
  ['1000:100', '1000', '100'],
  ['alice:', 'alice', 'alice'],
  [':staff', '0', 'staff'],
])('user %j is user %s of group %s', (text, user, group) => {
  expect(userOf(text)).toEqual({ user, group });
});

describe('environment', () => {
  test('entries without a value are dropped', () => {
    expect(environmentOf(['A=1', 'B', '=c'].slice(0, 2))).toEqual([{ name: 'A', value: '1' }]);
  });

  test.each(['=c', '1A=b', 'a b=c', 'ProgramFiles(x86)=c'])('%j is refused', (entry) => {
    expect(() => environmentOf(['A=1', entry])).toThrow(
      /^config\.Env\[1\]: appc has no environment variable/,
    );
  });
});

describe('volumes', () => {
  test.each<[readonly string[], readonly (readonly [string, string])[]]>([
    [['/data'], [['volume-data', '/data']]],
    [['data/'], [['volume-data', '/data']]],
    [['/data', '/data/'], [['volume-data', '/data']]],
    [
      ['/a_b', '/a-b', '/a.b'],
      [
        ['volume-a-b', '/a-b'],
        ['volume-a-b-1', '/a.b'],
        ['volume-a-b-2', '/a_b'],
      ],
    ],
    [
      ['/a', '/a/1', '/A'],
      [
        ['volume-a', '/A'],
        ['volume-a-1', '/a'],
        ['volume-a-1-1', '/a/1'],
      ],
    ],
    [['/../../x/./y//z'], [['volume-x-y-z', '/x/y/z']]],
  ])('%j are %j', (volumes, expected) => {
    expect(mountPointsOf(volumes).map(({ name, path }) => [name, path])).toEqual(expected);
  });

  test('long paths of one beginning have names of their own', () => {
    const long = `/${'a'.repeat(300)}`;
    const names = mountPointsOf([`${long}b`, `${long}c`]).map(({ name }) => name);
    expect(new Set(names).size).toBe(2);
    expect(names.every((name) => name.length <= 255)).toBe(true);
  });

  test.each(['/', '', '/..'])('%j would hide the image', (path) => {
    expect(() => mountPointsOf([path])).toThrow('config.Volumes: a volume cannot be the whole file system');
  });
});

describe('ports', () => {
  test.each([
    ['80', '80', 'tcp', 80, 1],
    ['80/tcp', '80-tcp', 'tcp', 80, 1],
    ['53/UDP', '53-udp', 'udp', 53, 1],
    ['7000-7009/tcp', '7000-7009-tcp', 'tcp', 7000, 10],
  ])('%s', (text, name, protocol, port, count) => {
    expect(portsOf([text])).toEqual([{ name, protocol, port, count, socketActivated: false }]);
  });

  test.each(['', '0', '65536/tcp', '80/', '/tcp', '90-80', 'http', '80/tcp/x', '80:80'])(
    '%j is refused',
    (text) => {
      expect(() => portsOf([text])).toThrow(/^config\.ExposedPorts: expected a port such as 80\/tcp, got /);
    },
  );
});

test.each([
  ['/', '/'],
  ['a/b', '/a/b'],
  ['/a/../../b/', '/b'],
])('path %s is %s', (path, absolute) => {
  expect(absolutePath(path)).toBe(absolute);
});
