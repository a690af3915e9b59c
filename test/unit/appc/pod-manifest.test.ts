import { describe, expect, test } from 'vitest';
import { effectiveApp } from '../../../src/appc/effective-app.ts';
import { parseImageManifest } from '../../../src/appc/image-manifest.ts';
import { formatPodManifest, parsePodManifest, readPodManifest } from '../../../src/appc/pod-manifest.ts';
import { fullApp, fullImage, fullPod } from './manifest-examples.ts';

const minimal = { acVersion: '0.8.11', acKind: 'PodManifest' };
const id = `sha512-${'a'.repeat(64)}`;
const withApps = (...apps: readonly object[]) => ({ ...minimal, apps });
const app = (change: object = {}) => ({ name: 'a', image: { id }, ...change });
const withVolume = (volume: object) => ({ ...minimal, volumes: [{ name: 'v', ...volume }] });

describe('a full manifest', () => {
  test('is written as it was read, in the order of the Go schema', () => {
    expect(formatPodManifest(parsePodManifest(fullPod))).toBe(JSON.stringify(fullPod));
  });

  test('is the same after being kept as plain JSON', () => {
    const manifest = parsePodManifest(fullPod);
    expect(JSON.parse(JSON.stringify(manifest))).toEqual(manifest);
  });
});

test('a blank manifest, as Go writes it with null for nothing', () => {
  const text = `{"acVersion":"0.8.11","acKind":"PodManifest","apps":null,"volumes":null,"isolators":null,"annotations":null,"ports":null}`;
  expect(formatPodManifest(readPodManifest(text))).toBe(text.replaceAll('null', '[]'));
});

describe('volumes', () => {
  test('an empty one has a mode and owners by default', () => {
    expect(parsePodManifest(withVolume({ kind: 'empty', source: '' })).volumes).toEqual([
      { name: 'v', kind: 'empty', mode: '0755', uid: 0, gid: 0 },
    ]);
  });

  test('that are neither read-only nor writable by their own word stay so', () => {
    const text = JSON.stringify(withVolume({ kind: 'host', source: '/a', readOnly: false }));
    expect(formatPodManifest(readPodManifest(text))).toContain(
      '{"name":"v","kind":"host","source":"/a","readOnly":false}',
    );
  });
});

describe('refused with the path', () => {
  test.each<[unknown, string | RegExp]>([
    [withApps(app(), app()), 'apps[1]: app name "a" is already used by [0]'],
    [
      withApps(app({ name: 'b' }), app({ app: { ...fullApp, exec: [7] } })),
      'apps[1].app.exec[0]: expected a string, got 7',
    ],
    [withApps({ name: 'a' }), 'apps[0].image: is required'],
    [withApps(app({ image: {} })), 'apps[0].image.id: is required'],
    [withApps(app({ name: 'a/b' })), /^apps\[0\]\.name: expected an AC name/],
    [withApps(app({ mounts: [{ path: '/a' }] })), 'apps[0].mounts[0].volume: is required'],
    [withApps(app({ mounts: [{ volume: 'a' }] })), 'apps[0].mounts[0].path: is required'],
    [withApps(app({ readOnlyRootFS: 'yes' })), 'apps[0].readOnlyRootFS: expected true or false, got "yes"'],
    [withVolume({}), 'volumes[0].kind: is required'],
    [withVolume({ kind: 'tmpfs' }), 'volumes[0].kind: expected one of host, empty, got "tmpfs"'],
    [withVolume({ kind: 'host' }), 'volumes[0].source: is required'],
    [withVolume({ kind: 'host', source: 'a' }), 'volumes[0].source: expected an absolute path, got "a"'],
    [
      withVolume({ kind: 'host', source: '/a', mode: '0755' }),
      /^volumes\[0\]\.mode: must not be set on a volume of kind host/,
    ],
    [
      withVolume({ kind: 'empty', source: '/a' }),
      /^volumes\[0\]\.source: must not be set on a volume of kind empty/,
    ],
    [
      withVolume({ kind: 'empty', mode: '0999' }),
      'volumes[0].mode: expected a mode in octal digits, got "0999"',
    ],
    [
      withVolume({ kind: 'empty', uid: 2 ** 32 - 1 }),
      /^volumes\[0\]\.uid: expected an integer from 0 to 4294967294/,
    ],
    [
      { ...minimal, volumes: [1, 2].map(() => ({ name: 'v', kind: 'empty' })) },
      'volumes[1]: volume name "v" is already used by [0]',
    ],
    [
      { ...minimal, ports: [{ name: 'p', hostPort: 70_000 }] },
      /^ports\[0\]\.hostPort: expected an integer from 0 to 65535/,
    ],
    [
      { ...minimal, ports: [{ name: 'p', hostPort: 1, hostIP: 'localhost' }] },
      /^ports\[0\]\.hostIP: expected an IP address/,
    ],
    [
      { ...minimal, isolators: [{ name: 'resource/cpu', value: { limit: 'x' } }] },
      /^isolators\[0\]\.value\.limit: expected/,
    ],
  ])('%j', (json, message) => {
    expect(() => parsePodManifest(json)).toThrow(message);
  });
});

describe('an app and its image', () => {
  const image = parseImageManifest(fullImage);
  const imageWithoutApp = parseImageManifest({ ...fullImage, app: undefined });
  const runtimeAppOf = (change: object) => {
    const [runtimeApp] = parsePodManifest(withApps(app(change))).apps;
    if (!runtimeApp) throw new Error('no app');
    return runtimeApp;
  };

  test("the image's app is run", () => {
    expect(effectiveApp(image, runtimeAppOf({}))).toEqual(image.app);
  });

  test("the pod's app replaces it as a whole", () => {
    const own = { exec: ['/own'], user: '1', group: '2' };
    expect(effectiveApp(image, runtimeAppOf({ app: own }))).toMatchObject({
      ...own,
      environment: [],
      ports: [],
    });
  });

  test('without either there is nothing to run', () => {
    expect(() => effectiveApp(imageWithoutApp, runtimeAppOf({}))).toThrow(
      'app a: neither the pod nor image example.com/reduce-worker says what to run',
    );
  });
});
