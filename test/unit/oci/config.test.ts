import { describe, expect, test } from 'vitest';
import { pairLayers, parseImageConfig, readImageConfig } from '../../../src/oci/config.ts';
import { config, manifestOf, ociTypes, parsedManifest, sha } from './document-examples.ts';

const minimal = { os: 'linux', architecture: 'amd64', rootfs: { type: 'layers', diff_ids: [] } };
const withExecution = (execution: object) => ({ ...minimal, config: execution });

describe('a configuration', () => {
  test('is read whole', () => {
    expect(readImageConfig(JSON.stringify(config))).toEqual({
      platform: { os: 'linux', architecture: 'amd64' },
      created: '2015-10-31T22:22:56.015925234Z',
      author: 'Alyssa P. Hacker <alyspdev@example.com>',
      execution: {
        user: 'alice:staff',
        entrypoint: ['/bin/my-app-binary'],
        cmd: ['--foreground', '--config', '/etc/my-app.d/default.cfg'],
        env: ['PATH=/usr/bin:/bin', 'FOO=a=b', 'EMPTY=', 'FOO=c'],
        workingDir: '/home/alice',
        exposedPorts: ['53/udp', '8080/tcp'],
        volumes: ['/var/job-result-data', '/var/log/my-app-logs'],
        labels: { 'com.example.project': 'x' },
        stopSignal: 'SIGQUIT',
      },
      diffIDs: [sha('8'), sha('9')],
    });
  });

  test.each([
    minimal,
    { ...minimal, config: null },
    withExecution({ Entrypoint: null, Cmd: null, Volumes: null }),
  ])('may say little: %j', (json) => {
    expect(parseImageConfig(json).execution).toEqual({
      user: '',
      entrypoint: [],
      cmd: [],
      env: [],
      workingDir: '',
      exposedPorts: [],
      volumes: [],
      labels: {},
      stopSignal: '',
    });
  });

  test('a command may be a single string', () => {
    expect(parseImageConfig(withExecution({ Cmd: '/bin/sh' })).execution.cmd).toEqual(['/bin/sh']);
  });

  test('keys of Object.prototype are volumes like any other', () => {
    const json = JSON.parse('{"Volumes": {"__proto__": {}, "constructor": {}}}');
    expect(parseImageConfig(withExecution(json)).execution.volumes).toEqual(['__proto__', 'constructor']);
  });

  test.each<[unknown, string | RegExp]>([
    [{ ...minimal, os: undefined }, 'os: is required'],
    [{ ...minimal, architecture: '' }, 'architecture: expected a word as in linux/arm64/v8'],
    [{ ...minimal, rootfs: undefined }, 'rootfs: is required'],
    [{ ...minimal, rootfs: { type: 'squashfs' } }, 'rootfs.type: expected one of layers, got "squashfs"'],
    [
      { ...minimal, rootfs: { type: 'layers', diff_ids: ['x'] } },
      /^rootfs\.diff_ids\[0\]: expected a digest/,
    ],
    [
      withExecution({ Env: ['A=\0'] }),
      'config.Env[0]: expected a string without zero bytes, got "A=\\u0000"',
    ],
    [withExecution({ Cmd: [1] }), 'config.Cmd[0]: expected a string, got 1'],
    [withExecution({ Volumes: ['/a'] }), 'config.Volumes: expected an object, got ["/a"]'],
    [withExecution({ Labels: { a: 1 } }), 'config.Labels.a: expected a string, got 1'],
  ])('%j is refused', (json, message) => {
    expect(() => parseImageConfig(json)).toThrow(message);
  });
});

describe('layers and what they unpack to', () => {
  const manifest = parsedManifest(manifestOf(ociTypes));

  test('go together in order', () => {
    const layers = pairLayers(manifest, parseImageConfig(config));
    expect(layers.map(({ digest, diffID }) => [digest, diffID])).toEqual([
      [sha('1'), sha('8')],
      [sha('2'), sha('9')],
    ]);
  });

  test('are equal in number', () => {
    expect(() => pairLayers(manifest, parseImageConfig(minimal))).toThrow(
      'the manifest has 2 layers, the configuration 0',
    );
  });
});
