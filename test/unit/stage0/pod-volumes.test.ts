import { describe, expect, it } from 'vitest';
import {
  blankApp,
  blankImageManifest,
  blankPodManifest,
  type MountPoint,
  parseACIdentifier,
  parseACName,
  parseImageID,
} from '../../../src/appc/index.ts';
import type { PodApp } from '../../../src/stage0/pod-request.ts';
import { planVolumesOf, withoutVolumesOf, withVolumes } from '../../../src/stage0/pod-volumes.ts';
import {
  appcMount,
  appcVolume,
  type MountRequest,
  parseMountedVolume,
  parseMountRequest,
  parseVolumeRequest,
} from '../../../src/stage0/volume-request.ts';

const SHA512 = `sha512-${'0'.repeat(64)}`;
const SHA256 = `sha256-${'0'.repeat(64)}`;

interface AppOf {
  readonly name?: string;
  readonly mounts?: readonly MountRequest[];
  readonly points?: readonly Partial<MountPoint>[];
  readonly id?: string;
}

function app({ name = 'web', mounts = [], points = [], id = SHA512 }: AppOf): PodApp {
  const imageName = parseACIdentifier('example.com/web');
  const mountPoints = points.map((point) => ({
    name: parseACName('data'),
    path: '/data',
    readOnly: false,
    ...point,
  }));
  return {
    app: {
      ...{ name: parseACName(name), readOnlyRootFS: false, annotations: [] },
      image: { id: parseImageID(id), name: imageName, labels: [] },
      app: { ...blankApp, mountPoints },
      mounts: mounts.map(appcMount),
    },
    image: {
      id: parseImageID(id),
      manifest: blankImageManifest(imageName),
      layers: [],
    } as unknown as PodApp['image'],
    subPaths: new Map(),
    ownVolumes: mounts.flatMap(({ own }) => own ?? []),
  };
}

function plan(apps: readonly PodApp[], flags: readonly string[] = []) {
  const requests = flags.map(parseVolumeRequest);
  return planVolumesOf(apps, { ...blankPodManifest, volumes: requests.map(appcVolume) }, requests);
}

const mount = (text: string) => parseMountRequest(text);
const HOST = { kind: 'host', key: 'v', readOnly: false, source: '/s', recursive: null, idMap: null };
const at = { app: 'web', volume: 'v', target: '/t', readOnly: false, subPath: null, seed: false };

describe('volumes of a pod', () => {
  it('are those that are mounted, by mounts and by mount points of their names', () => {
    const flags = ['v,kind=host,source=/s', 'data,kind=empty,mode=1777,uid=5,gid=6', 'unused,kind=empty'];
    expect(plan([app({ mounts: [mount('volume=v,target=/t')], points: [{}] })], flags)).toEqual({
      version: 1,
      volumes: [
        HOST,
        { kind: 'empty', key: 'data', readOnly: false, mode: 0o1777, uid: 5, gid: 6, mountPoint: null },
      ],
      mounts: [at, { ...at, volume: 'data', target: '/data' }],
    });
  });

  it('are read-only as they say themselves, else as the mount point of their name, and as a whole where all mounts are', () => {
    const seen = (flag: string, readOnly: boolean) => {
      const { volumes, mounts } = plan(
        [app({ mounts: [mount('volume=data,target=/t')], points: [{ path: '/t', readOnly }] })],
        [flag],
      );
      return [volumes[0]?.readOnly, mounts[0]?.readOnly];
    };
    expect(seen('data,kind=empty', true)).toEqual([true, true]);
    expect(seen('data,kind=empty,readOnly=false', true)).toEqual([false, false]);
    expect(seen('data,kind=empty,readOnly=true', false)).toEqual([true, true]);
    const two = plan(
      [app({ points: [{ readOnly: true }] }), app({ name: 'db', points: [{}] })],
      ['data,kind=empty'],
    );
    expect([two.volumes[0]?.readOnly, ...two.mounts.map(({ readOnly }) => readOnly)]).toEqual([
      false,
      true,
      false,
    ]);
  });

  it('are empty where an image has a mount point and nobody a volume for it; images of Docker fill theirs', () => {
    const implicit = {
      kind: 'empty',
      key: 'web.data',
      readOnly: false,
      mode: 0o755,
      uid: 0,
      gid: 0,
      mountPoint: 'data',
    };
    const seen = plan([app({ points: [{}] })]);
    expect(seen).toMatchObject({ volumes: [implicit], mounts: [{ volume: 'web.data', seed: false }] });
    expect(plan([app({ points: [{}], id: SHA256 })]).mounts).toMatchObject([{ seed: true }]);
  });

  it('give way to a mount at the same path, however it is written', () => {
    const { mounts } = plan(
      [app({ mounts: [mount('volume=v,target=x/..//data/')], points: [{}] })],
      ['v,kind=host,source=/s'],
    );
    expect(mounts).toEqual([{ ...at, target: '/data' }]);
  });

  it('can be an app’s own', () => {
    const own = parseMountedVolume('name=v,kind=host,source=/s,target=/t,idmap=none');
    const seen = plan([app({ mounts: [own] })]);
    expect(seen).toMatchObject({
      volumes: [{ ...HOST, key: 'web.v', idMap: 'none' }],
      mounts: [{ ...at, volume: 'web.v' }],
    });
    const both = withVolumes(plan([app({ name: 'db', points: [{}] })]), seen);
    expect(withoutVolumesOf(both, 'web')).toEqual(plan([app({ name: 'db', points: [{}] })]));
  });

  it.each([
    [['volume=absent,target=/t'], 'app web: could not find volume "absent"'],
    [['volume=v,target=/'], 'app web: a volume cannot be the whole file system'],
    [['volume=v,target=../..'], 'app web: a volume cannot be the whole file system'],
    [['volume=v,target=/t', 'volume=w,target=/t/'], 'app web: volumes v and w overlap: /t and /t'],
    [['volume=v,target=/t/x', 'volume=w,target=/t'], 'app web: volumes v and w overlap: /t/x and /t'],
  ])('%j are refused', (mounts, message) => {
    const flags = ['v,kind=host,source=/s', 'w,kind=empty'];
    expect(() => plan([app({ mounts: mounts.map(mount) })], flags)).toThrow(message);
  });

  it('may lie one in another where nobody has asked for any of them', () => {
    const points = [
      { name: parseACName('a'), path: '/a' },
      { name: parseACName('b'), path: '/a/b' },
    ];
    expect(plan([app({ points })]).mounts.map(({ target }) => target)).toEqual(['/a', '/a/b']);
    expect(() => plan([app({ points })], ['a,kind=empty'])).toThrow('overlap');
  });
});
