import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { createPod, type Pod } from '../../../src/pod/pod.ts';
import { readPod } from '../../../src/pod/record.ts';
import { temporaryPods } from './pods.ts';

const pods = temporaryPods();
const id = `sha512-${'ab'.repeat(32)}`;
const app = { name: 'web', image: { id }, app: { exec: ['/x'], user: '0', group: '0' } };
const manifest = { acVersion: '0.8.11', acKind: 'PodManifest', apps: [app] };
const image = { acVersion: '0.8.11', acKind: 'ImageManifest', name: 'example.com/web' };
const labels = [{ name: 'version', value: '1.2' }];

function write(pod: Pod, name: string, content: unknown): void {
  const path = join(pod.path, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
}

test('tells of a pod from its files, as far as there are any', () => {
  using pod = createPod(pods());
  expect(readPod(pod)).toEqual({
    uuid: pod.uuid,
    state: 'preparing',
    created: expect.any(BigInt),
    isReady: false,
    isPaused: false,
    apps: [],
  });
  write(pod, 'pod', manifest);
  write(pod, 'appsinfo/web/manifest', { ...image, labels });
  write(pod, 'appsinfo/web/treeStoreID', `${id}\n`);
  pod.move('run');
  write(pod, 'pid', '4711\n');
  mkdirSync(join(pod.path, 'stage1/rootfs/rkt/status'), { recursive: true });
  symlinkSync('ready', join(pod.path, 'stage1/rootfs/rkt/supervisor-status'));
  const running = readPod(pod);
  expect(running).toMatchObject({ state: 'running', pid: 4711, isReady: true });
  expect(running?.apps).toMatchObject([{ name: 'web', state: 'running', imageName: 'example.com/web:1.2' }]);
  expect(running?.apps[0]).not.toHaveProperty('exitCode');

  write(pod, 'paused', '');
  expect(readPod(pod)).toMatchObject({ state: 'running', isPaused: true });

  write(pod, 'stage1/rootfs/rkt/status/web', '7\n');
  expect(readPod(pod)?.apps).toMatchObject([{ state: 'exited', exitCode: 7 }]);
  pod.lock.release();
  // Whatever it was when it was killed.
  expect(readPod(pod)).toMatchObject({
    state: 'exited',
    isPaused: false,
    apps: [{ state: 'exited', exitCode: 7 }],
  });
});

test('tells which volumes an app has, its own and the pod’s', () => {
  using pod = createPod(pods());
  write(pod, 'pod', { ...manifest, apps: [app, { ...app, name: 'db' }] });
  const owner = { mode: 0o755, uid: 0, gid: 0 };
  const volumes = [
    { kind: 'host', key: 'data', readOnly: true, source: '/srv', recursive: null, idMap: 'auto' },
    { kind: 'tmpfs', key: 'web.cache', readOnly: false, bytes: null, ...owner },
    { kind: 'named', key: 'logs', readOnly: false, volume: 'web-logs', ...owner },
    { kind: 'empty', key: 'web.spool', readOnly: false, mountPoint: null, ...owner },
  ];
  const rest = { app: 'web', readOnly: false, subPath: null, seed: false };
  const mounts = [
    { ...rest, volume: 'data', target: '/data' },
    { ...rest, volume: 'web.cache', target: '/cache' },
    { ...rest, volume: 'logs', target: '/logs' },
    { ...rest, volume: 'web.spool', target: '/spool' },
  ];
  write(pod, 'volumes.json', { version: 1, volumes, mounts });
  const [web, db] = readPod(pod)?.apps ?? [];
  expect(web?.mounts).toEqual([
    { volume: 'data', target: '/data', source: '/srv', readOnly: true },
    { volume: 'cache', target: '/cache', readOnly: false },
    ...[
      { volume: 'logs', target: '/logs', source: join(pod.pods, '../volumes/web-logs/private/data') },
      { volume: 'spool', target: '/spool', source: join(pod.path, 'sharedVolumes/web.spool') },
    ].map((mount) => ({ ...mount, readOnly: false })),
  ]);
  expect(db).not.toHaveProperty('mounts');
});

test('tells which networks the pod is on', () => {
  using pod = createPod(pods());
  write(pod, 'net-info.json', [{ netName: 'default', ip: '172.16.28.2' }]);
  expect(readPod(pod)?.networks).toMatchObject([{ netName: 'default', ip: '172.16.28.2', addresses: [] }]);
  // A power cut's.
  write(pod, 'net-info.json', '');
  expect(readPod(pod)?.networks).toBe(undefined);
  write(pod, 'net-info.json', '{');
  expect(() => readPod(pod)).toThrow('net-info.json: ');
});

test('a manifest that is none is an error that names what is wrong', () => {
  using pod = createPod(pods());
  write(pod, 'pod', { ...manifest, acKind: 'ImageManifest' });
  expect(() => readPod(pod)).toThrow('acKind');
});

test('tells how an app does, as long as it runs', () => {
  using pod = createPod(pods());
  const annotations = [{ name: 'coreos.com/rkt/app/restart', value: 'always' }];
  write(pod, 'pod', { ...manifest, apps: [{ ...app, annotations }] });
  pod.move('run');
  expect(readPod(pod)?.apps).toMatchObject([{ restart: 'always', restarts: 0 }]);
  const health = { status: 'healthy', failures: 0, checked: 5, exitCode: 0, output: '' };
  const state = {
    restarts: 3,
    nextRestart: 1_795_748_435_984,
    lastExit: 9,
    started: '1795748435984221985',
    health,
  };
  write(pod, 'app-state/web.json', state);
  expect(readPod(pod)?.apps).toMatchObject([
    {
      ...{ restarts: 3, lastExit: 9, health, started: 1_795_748_435_984_221_985n },
      nextRestart: 1_795_748_435_984_000_000n,
    },
  ]);
  pod.lock.release();
  const [ended] = readPod(pod)?.apps ?? [];
  expect(ended).toMatchObject({ state: 'exited', restarts: 3, lastExit: 9 });
  expect(ended).not.toHaveProperty('health');
  expect(ended).not.toHaveProperty('nextRestart');
});

test('makes nothing of what a power cut has left of that', () => {
  using pod = createPod(pods());
  write(pod, 'pod', manifest);
  pod.move('run');
  for (const rest of ['', '{"restarts":', '{}']) {
    write(pod, 'app-state/web.json', rest);
    expect(readPod(pod)?.apps).toMatchObject([{ name: 'web', state: 'running' }]);
  }
});

test('an app of a mutable pod is created until its supervisor has started it', () => {
  using pod = createPod(pods());
  const annotations = [{ name: 'coreos.com/rkt/stage1/mutable', value: 'true' }];
  write(pod, 'pod', { ...manifest, annotations });
  pod.move('run');
  write(pod, 'pid', '4711\n');
  expect(readPod(pod)).toMatchObject({ isMutable: true, apps: [{ name: 'web', state: 'created' }] });
  expect(readPod(pod)?.apps[0]).not.toHaveProperty('started');
  write(pod, 'app-state/web.json', { restarts: 0, started: '1795748435984221985' });
  expect(readPod(pod)?.apps).toMatchObject([{ state: 'running', started: 1_795_748_435_984_221_985n }]);
  write(pod, 'stage1/rootfs/rkt/status/web', '0\n');
  expect(readPod(pod)?.apps).toMatchObject([{ state: 'exited', exitCode: 0 }]);
});
