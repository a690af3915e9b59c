import { describe, expect, it } from 'vitest';
import { parseRunArguments } from '../../../src/abi/stage1.ts';
import { DEFAULT_MODES } from '../../../src/abi/stream-modes.ts';
import { blankApp, parseIsolator, readPodManifest } from '../../../src/appc/index.ts';
import type { Pod, PodApp } from '../../../src/supervisor/plan/pod.ts';
import { ignored, ignoredOfVolume, onlyApp, unenforced } from '../../../stage1-fly/unsupported.ts';

const UUID = '5bd2bb5f-ea2a-4e6e-b5f5-4d6a4f5a2f2e';
const options = (...flags: string[]) => parseRunArguments([...flags, UUID]);

function appOf(changes: Partial<PodApp> = {}): PodApp {
  return {
    name: 'web',
    app: blankApp,
    readOnlyRoot: false,
    rootfs: '/root-of-web',
    restart: { policy: 'no', most: null },
    health: undefined,
    streams: DEFAULT_MODES,
    notify: false,
    umask: 0o022,
    ...changes,
  };
}

function podOf(...apps: PodApp[]): Pod {
  const manifest = readPodManifest(JSON.stringify({ acKind: 'PodManifest', acVersion: '0.8.11', apps: [] }));
  return { uuid: UUID, hostname: 'box', manifest, apps };
}

describe('a pod', () => {
  it('has one app, from its start to its end', () => {
    const app = appOf();
    expect(onlyApp(podOf(app), options())).toBe(app);
    expect(() => onlyApp(podOf(app, app), options())).toThrow('one app, not of 2');
    expect(() => onlyApp(podOf(), options('--mutable'))).toThrow('come and go');
  });
});

describe('what has no effect', () => {
  it('is nothing where nothing is asked for', () => {
    expect(ignored(options(), podOf(appOf()), 0)).toEqual([]);
    expect(ignored(options('--net=host', '--ipc=parent'), podOf(appOf()), 0)).toEqual([]);
    expect(unenforced(podOf(appOf()))).toEqual([]);
  });

  it('of the pod: networks, ports, names, IPC', () => {
    const asked = options('--net=web:IP=10.0.0.2', '--hostname=box', '--ipc=private');
    expect(ignored(asked, podOf(appOf()), 2)).toEqual([
      "--net=web:IP=10.0.0.2 is ignored: the app is on the host's network",
      "no port is published: the app listens on the host's own",
      "the host name box is ignored: the app has the host's own",
      "--ipc=private is ignored: the app has the host's IPC",
    ]);
  });

  it('of the app: its life, its streams', () => {
    const health = { command: ['x'], interval: 1, timeout: 1, retries: 1, startPeriod: 0 };
    const streams = { ...DEFAULT_MODES, stderr: 'null' } as const;
    const app = appOf({ restart: { policy: 'always', most: null }, health, notify: true, streams });
    const streamLine = "app web: the modes of its streams are ignored: it has the caller's";
    expect(ignored(options(), podOf(app), 0)).toEqual([
      'app web: its restart policy is ignored',
      'app web: its health check is ignored',
      'app web: that it says itself when it is ready is ignored',
      streamLine,
    ]);
    expect(ignored(options(), podOf(appOf({ streams: { kind: 'terminal' } })), 0)).toEqual([streamLine]);
  });

  it('of volumes: who may write to a device, whose files are', () => {
    const volume = { key: 'v', kind: 'directory', readOnly: true, idMap: null } as const;
    expect(ignoredOfVolume(volume)).toEqual([]);
    expect(ignoredOfVolume({ ...volume, kind: 'char', readOnly: false, idMap: 'none' })).toEqual([]);
    for (const kind of ['char', 'block'] as const)
      expect(ignoredOfVolume({ ...volume, kind })).toEqual([
        'volume v: readOnly=true does not keep the app from writing to the device',
      ]);
    expect(ignoredOfVolume({ ...volume, idMap: 'auto' })).toEqual([
      'volume v: idmap=auto is ignored: ids are as they are on the host',
    ]);
  });

  it('are isolators and event handlers, one and all', () => {
    const isolators = [parseIsolator({ name: 'resource/memory', value: { limit: '1G' } })];
    const eventHandlers = [{ name: 'pre-start', exec: ['/x'] }] as const;
    expect(unenforced(podOf(appOf({ app: { ...blankApp, isolators, eventHandlers } })))).toEqual([
      'isolator resource/memory is not enforced: stage1-fly isolates nothing',
      'event handler pre-start is not run by stage1-fly',
    ]);
  });
});
