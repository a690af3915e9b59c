import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parsePodName, writeName } from '../../../src/pod/name.ts';
import { createPod, type Pod } from '../../../src/pod/pod.ts';
import { type PodEvent, parseEventFilter } from '../../../src/stage0/events.ts';
import { PodWatch } from '../../../src/stage0/pod-watch.ts';
import { eventually } from '../../support/polling.ts';
import { temporaryPods } from '../pod/pods.ts';

const pods = temporaryPods();
const id = `sha512-${'ab'.repeat(32)}`;
const app = { name: 'web', image: { id }, app: { exec: ['/x'], user: '0', group: '0' } };
const manifest = { acVersion: '0.8.11', acKind: 'PodManifest', apps: [app] };

let seen: PodEvent[] = [];
let watching: PodWatch;
const problems: unknown[] = [];

/** What has been reported, in short: `app-exited web 7`. */
const told = () =>
  seen.map(({ type, app: name, restarts, exitCode }) =>
    [type, name, restarts === undefined ? undefined : `#${restarts}`, exitCode]
      .filter((word) => word !== undefined)
      .join(' '),
  );

function startWatching(): void {
  seen = [];
  watching = new PodWatch(
    pods(),
    (event) => void seen.push(event),
    (error) => void problems.push(error),
  );
}

beforeEach(startWatching);
afterEach(() => {
  watching[Symbol.dispose]();
  expect(problems).toEqual([]);
});

function write(pod: Pod, name: string, content: unknown): void {
  const path = join(pod.path, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content));
}

function fill(pod: Pod): void {
  mkdirSync(join(pod.path, 'stage1/rootfs/rkt/status'), { recursive: true });
  write(pod, 'stage1/rootfs/rkt/exit-code', '');
  write(pod, 'pod', manifest);
}

const until = (line: string) => eventually(line, () => told().includes(line));
const ready = (pod: Pod) => symlinkSync('ready', join(pod.path, 'stage1/rootfs/rkt/supervisor-status'));
const remove = (pod: Pod) => rmSync(pod.path, { recursive: true });

test('tells of each step, as it happens', async () => {
  const pod = createPod(pods());
  await until('created');
  writeName(pod, parsePodName('front'));
  fill(pod);
  pod.move('prepared');
  await until('prepared');
  pod.move('run');
  write(pod, 'pid', '1\n');
  await until('started');
  ready(pod);
  await until('ready');
  write(pod, 'paused', '');
  await until('paused');
  rmSync(join(pod.path, 'paused'));
  await until('resumed');
  write(pod, 'stage1/rootfs/rkt/status/web', '7\n');
  await until('app-exited web 7');
  write(pod, 'stage1/rootfs/rkt/exit-code', '7\n');
  pod.lock.release();
  await until('exited 7');
  remove(pod);
  await until('removed');
  const life = ['created', 'prepared', 'started', 'app-started web', 'ready', 'paused', 'resumed'];
  expect(told()).toEqual([...life, 'app-exited web 7', 'exited 7', 'removed']);
  expect(seen.at(-1)).toMatchObject({ uuid: pod.uuid, pod: { podName: 'front' } });
});

test('misses nothing of a pod that is gone before it was looked at', async () => {
  const pod = createPod(pods());
  fill(pod);
  pod.move('prepared');
  pod.move('run');
  pod.lock.release();
  remove(pod);
  await until('removed');
  expect(told()).toEqual(['created', 'prepared', 'started', 'exited', 'removed']);
});

test('misses nothing of a pod that has run and ended between two looks', async () => {
  const pod = createPod(pods());
  await until('created');
  fill(pod);
  pod.move('run');
  write(pod, 'pid', '1\n');
  ready(pod);
  write(pod, 'stage1/rootfs/rkt/status/web', '0\n');
  write(pod, 'stage1/rootfs/rkt/exit-code', '0\n');
  pod.lock.release();
  await until('exited 0');
  expect(told()).toEqual(['created', 'started', 'app-started web', 'ready', 'app-exited web 0', 'exited 0']);
});

test('an app that could not be started was not', async () => {
  const pod = createPod(pods());
  fill(pod);
  pod.move('run');
  write(pod, 'pid', '1\n');
  await until('started');
  write(pod, 'stage1/rootfs/rkt/status/web', '203\n');
  await until('app-exited web 203');
  pod.lock.release();
  expect(told()).toEqual(['created', 'started', 'app-exited web 203']);
});

test('tells of every start again, also of several at once', async () => {
  const pod = createPod(pods());
  const restart = { name: 'coreos.com/rkt/app/restart', value: 'always' };
  fill(pod);
  write(pod, 'pod', { ...manifest, apps: [{ ...app, annotations: [restart] }] });
  const state = { restarts: 0, nextRestart: null, lastExit: null, started: null, health: null };
  write(pod, 'app-state/web.json', state);
  pod.move('run');
  write(pod, 'pid', '1\n');
  ready(pod);
  await until('ready');
  write(pod, 'app-state/web.json', { ...state, restarts: 1, lastExit: 3 });
  await until('app-restarting web #1 3');
  write(pod, 'app-state/web.json', { ...state, restarts: 3, lastExit: 4 });
  await until('app-restarting web #3 4');
  expect(told().filter((line) => line.startsWith('app-restarting'))).toEqual([
    'app-restarting web #1 3',
    'app-restarting web #2',
    'app-restarting web #3 4',
  ]);
  pod.lock.release();
});

test('a pod whose making is cut short, or whose supervisor is killed, is told of without a file that changes', async () => {
  const [aborted, killed] = [createPod(pods()), createPod(pods())];
  fill(killed);
  killed.move('run');
  await until('started');
  aborted.lock.release();
  await until('aborted');
  killed.lock.release();
  await until('exited');
});

test('what there was before is no news', async () => {
  const pod = createPod(pods());
  fill(pod);
  pod.move('run');
  watching[Symbol.dispose]();
  startWatching();
  pod.lock.release();
  await until('exited');
  expect(told()).toEqual(['exited']);
});

test('filters take events of any of the types, and of pods that pass', () => {
  const event = (type: string, pod: object | undefined) => ({ type, pod }) as PodEvent;
  const pod = { apps: [], podName: 'front', state: 'running' };
  const isWanted = parseEventFilter(['event=ready', 'event=exited', 'name=front']);
  expect(isWanted(event('ready', pod))).toBe(true);
  expect(isWanted(event('started', pod))).toBe(false);
  expect(isWanted(event('exited', { ...pod, podName: 'back' }))).toBe(false);
  expect(isWanted(event('exited', undefined))).toBe(false);
  expect(parseEventFilter(['event=removed'])(event('removed', undefined))).toBe(true);
  expect(() => parseEventFilter(['event=born'])).toThrow('"born" is no event: expected one of created, ');
  expect(() => parseEventFilter(['type=x'])).toThrow('"type=x" is not KEY=VALUE with a key of state, ');
});
