import { describe, expect, test } from 'vitest';
import { AppcError } from '../../../src/appc/errors.ts';
import {
  formatImageManifest,
  parseImageManifest,
  readImageManifest,
} from '../../../src/appc/image-manifest.ts';
import { fullApp, fullImage } from './manifest-examples.ts';

const minimal = { acKind: 'ImageManifest', acVersion: '0.8.11', name: 'a' };
const withApp = (change: object) => ({ ...minimal, app: { exec: ['/a'], user: '0', group: '0', ...change } });

describe('a full manifest', () => {
  test('is written as it was read, in the order of the Go schema', () => {
    expect(formatImageManifest(parseImageManifest(fullImage))).toBe(JSON.stringify(fullImage));
  });

  test('is the same after being kept as plain JSON', () => {
    const manifest = parseImageManifest(fullImage);
    expect(JSON.parse(JSON.stringify(manifest))).toEqual(manifest);
  });

  test('loses what appc does not know', () => {
    const text = JSON.stringify({ ...fullImage, future: 1, app: { ...fullApp, future: {} } });
    expect(formatImageManifest(readImageManifest(text))).toBe(JSON.stringify(fullImage));
  });

  test('is indented on demand', () => {
    expect(formatImageManifest(parseImageManifest(minimal), '\t')).toBe(
      JSON.stringify(minimal, undefined, '\t'),
    );
  });
});

describe('left out', () => {
  test('members are empty', () => {
    expect(parseImageManifest({ ...minimal, labels: null, app: null })).toEqual({
      acVersion: '0.8.11',
      name: 'a',
      labels: [],
      annotations: [],
      dependencies: [],
      pathWhitelist: [],
    });
    expect(parseImageManifest(withApp({ exec: null, workingDirectory: '' })).app).toEqual({
      exec: [],
      eventHandlers: [],
      user: '0',
      group: '0',
      supplementaryGIDs: [],
      environment: [],
      mountPoints: [],
      ports: [],
      isolators: [],
      userAnnotations: {},
      userLabels: {},
    });
  });

  test('a port has a count of one', () => {
    const [port] =
      parseImageManifest(withApp({ ports: [{ name: 'p', protocol: 'udp', port: 53 }] })).app?.ports ?? [];
    expect(port).toEqual({ name: 'p', protocol: 'udp', port: 53, count: 1, socketActivated: false });
  });

  test.each(['sh', './sh', 'bin/sh'])('the command %j need not be absolute', (command) => {
    expect(parseImageManifest(withApp({ exec: [command] })).app?.exec).toEqual([command]);
  });
});

describe('versions', () => {
  test.each(['0.8.11', '0.1.0', '0.9.0-rc.1+git'])('%s is understood', (acVersion) => {
    expect(parseImageManifest({ ...minimal, acVersion }).acVersion).toBe(acVersion);
  });

  test.each([
    ['1.0.0', 'acVersion: version "1.0.0" is not understood, 0.8.11 is'],
    ['0.8', 'acVersion: expected a semantic version (1.2.3), got "0.8"'],
    ['', 'acVersion: expected a semantic version (1.2.3), got ""'],
  ])('%j is not', (acVersion, message) => {
    expect(() => parseImageManifest({ ...minimal, acVersion })).toThrow(message);
  });
});

describe('refused with the path', () => {
  test.each<[unknown, string | RegExp]>([
    [7, 'expected an object, got 7'],
    [[], 'expected an object, got []'],
    [{}, 'acKind: is required'],
    [{ ...minimal, acKind: 'PodManifest' }, 'acKind: expected one of ImageManifest, got "PodManifest"'],
    [{ ...minimal, name: 'A' }, /^name: expected an AC identifier/],
    [
      { ...minimal, labels: [{ name: 'name', value: 'x' }] },
      'labels[0].name: a label must not be called "name"',
    ],
    [
      {
        ...minimal,
        labels: [
          { name: 'a', value: '1' },
          { name: 'a', value: '2' },
        ],
      },
      'labels[1]: label "a" is already used by [0]',
    ],
    [
      { ...minimal, labels: [{ name: 'os', value: 'plan9' }] },
      /^labels: unknown os "plan9", expected one of linux/,
    ],
    [
      {
        ...minimal,
        labels: [
          { name: 'os', value: 'linux' },
          { name: 'arch', value: 'x86_64' },
        ],
      },
      /^labels: unknown arch "x86_64" for linux, expected one of amd64/,
    ],
    [
      { ...minimal, annotations: [{ name: 'created', value: 'yesterday' }] },
      /^annotations\[0\]\.value: expected a date/,
    ],
    [
      { ...minimal, annotations: [{ name: 'homepage', value: 'ftp://x' }] },
      /^annotations\[0\]\.value: expected an http/,
    ],
    [{ ...minimal, dependencies: [{}] }, 'dependencies[0].imageName: is required'],
    [
      { ...minimal, dependencies: [{ imageName: 'a', imageID: 'x' }] },
      /^dependencies\[0\]\.imageID: expected an image id/,
    ],
    [{ ...minimal, pathWhitelist: ['/a', 1] }, 'pathWhitelist[1]: expected a string, got 1'],
    [withApp({ user: undefined }), 'app.user: is required'],
    [withApp({ user: '' }), 'app.user: must not be empty'],
    [withApp({ group: undefined }), 'app.group: is required'],
    [withApp({ exec: ['/a', 'b\0c'] }), 'app.exec[1]: expected a string without zero bytes, got "b\\u0000c"'],
    [withApp({ exec: '/a' }), 'app.exec: expected an array, got "/a"'],
    [withApp({ workingDirectory: 'a' }), 'app.workingDirectory: expected an absolute path, got "a"'],
    [
      withApp({ supplementaryGIDs: [-1] }),
      /^app\.supplementaryGIDs\[0\]: expected an integer from 0 to 4294967294/,
    ],
    [
      withApp({ environment: [{ name: '1A', value: '' }] }),
      /^app\.environment\[0\]\.name: expected the name/,
    ],
    [
      withApp({
        environment: [
          { name: 'A', value: '' },
          { name: 'A', value: '' },
        ],
      }),
      'app.environment[1]: environment variable "A" is already used by [0]',
    ],
    [
      withApp({ eventHandlers: [{ name: 'on-boot', exec: [] }] }),
      /^app\.eventHandlers\[0\]\.name: expected one of pre-start/,
    ],
    [
      withApp({
        eventHandlers: [
          { name: 'pre-start', exec: [] },
          { name: 'pre-start', exec: [] },
        ],
      }),
      'app.eventHandlers[1]: event handler "pre-start" is already used by [0]',
    ],
    [
      withApp({ ports: [{ name: 'p', protocol: 'tcp', port: 0 }] }),
      /^app\.ports\[0\]\.port: expected an integer from 1/,
    ],
    [
      withApp({ ports: [{ name: 'p', protocol: 'tcp', port: 65_535, count: 2 }] }),
      'app.ports[0].count: 2 ports from 65535 go beyond 65535',
    ],
    [withApp({ mountPoints: [{ name: 'p', path: '' }] }), 'app.mountPoints[0].path: must not be empty'],
    [withApp({ userLabels: { a: 1 } }), 'app.userLabels.a: expected a string, got 1'],
  ])('%j', (json, message) => {
    expect(() => parseImageManifest(json)).toThrow(message);
  });

  test('as an AppcError that has the path apart', () => {
    const refusal = expect.objectContaining({ code: 'invalid-type', path: 'app.exec[0]' });
    expect(() => parseImageManifest(withApp({ exec: [7] }))).toThrow(refusal);
    expect(() => readImageManifest('{')).toThrow(AppcError);
  });
});
