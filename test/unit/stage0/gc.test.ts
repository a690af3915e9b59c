import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ensurePodsDirectory } from '../../../src/pod/directory.ts';
import { createPod, type Pod } from '../../../src/pod/pod.ts';
import { PHASES, type Phase } from '../../../src/pod/state.ts';
import { type GcEvent, gc } from '../../../src/stage0/gc.ts';
import { openHost } from '../../../src/stage0/host.ts';
import { rm } from '../../../src/stage0/rm.ts';

let data = '';
let pods = '';
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'rkt-gc-'));
  pods = ensurePodsDirectory(data);
});
afterEach(() => rmSync(data, { recursive: true }));

const host = () =>
  openHost({ dataDirectory: data, systemConfig: data, localConfig: data, insecure: new Set(), debug: false });
const EVERYTHING = { gracePeriod: 0, expirePrepared: 0, markOnly: false };
const DEFAULTS = { gracePeriod: 60_000, expirePrepared: 60_000, markOnly: false };

async function collect(request = EVERYTHING): Promise<GcEvent[]> {
  const events: GcEvent[] = [];
  await gc(host(), request, (event) => events.push(event));
  return events;
}

const ROAD: Readonly<Record<Phase, readonly Phase[]>> = {
  embryo: [],
  prepare: [],
  prepared: ['prepared'],
  run: ['run'],
  'exited-garbage': ['run', 'exited-garbage'],
  garbage: ['garbage'],
};

/** A pod in a phase, as its holder left it: still there (locked), or dead at any instruction. */
function podIn(phase: Phase): Pod {
  const pod = createPod(pods);
  for (const next of ROAD[phase]) pod.move(next);
  return pod;
}

function abandoned(phase: Phase): Pod {
  const pod = podIn(phase);
  pod.lock.release();
  return pod;
}

function left(): string[] {
  return PHASES.flatMap((phase) => readdirSync(join(pods, phase)).map((uuid) => `${phase}/${uuid}`));
}

function put(pod: Pod, name: string, content: string): string {
  const path = join(pod.path, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

test('collects what was abandoned in any phase, an embryo too', async () => {
  for (const phase of PHASES.slice(1)) abandoned(phase);
  mkdirSync(join(pods, 'embryo', '0b0d2959-9139-48be-a7c5-19a1213c70d6'));
  const events = await collect();
  expect(events.filter(({ kind }) => kind === 'collecting')).toHaveLength(6);
  expect(events.filter(({ kind }) => kind === 'failed')).toEqual([]);
  expect(left()).toEqual([]);
});

test('passes over what somebody holds', async () => {
  const held = (['prepare', 'prepared', 'run', 'exited-garbage', 'garbage'] as const).map(podIn);
  expect(await collect()).toEqual([]);
  expect(left()).toHaveLength(held.length);
  for (const pod of held) pod.lock.release();
});

test('keeps what has just ended, marks only when told so', async () => {
  const { uuid } = abandoned('run');
  expect(await collect({ ...EVERYTHING, markOnly: true })).toEqual([{ kind: 'marked', uuid }]);
  expect(await collect(DEFAULTS)).toEqual([{ kind: 'within-grace', uuid }]);
  expect(left()).toEqual([`exited-garbage/${uuid}`]);
});

test('lets a prepared pod wait its time', async () => {
  const { uuid } = abandoned('prepared');
  await collect(DEFAULTS);
  expect(left()).toEqual([`prepared/${uuid}`]);
});

const stage1 = (...more: readonly { readonly name: string; readonly value: string }[]) =>
  JSON.stringify({
    acKind: 'ImageManifest',
    acVersion: '0.8.11',
    name: 'example.com/stage1',
    annotations: [
      { name: 'coreos.com/rkt/stage1/gc', value: '/gc' },
      { name: 'coreos.com/rkt/stage1/interface-version', value: '6' },
      ...more,
    ],
  });

function withStage1(pod: Pod, script: string, manifest = stage1()): void {
  put(pod, 'stage1/manifest', manifest);
  put(pod, 'stage1TreeStoreID', `sha512-${'a'.repeat(64)}\n`);
  chmodSync(put(pod, 'stage1/rootfs/gc', `#!/bin/sh\n${script}\n`), 0o755);
}

test("runs the stage1's gc in the pod's directory before anything is removed", async () => {
  const pod = abandoned('run');
  withStage1(pod, `{ echo "$@"; pwd; ls; } > ${data}/log`);
  await collect();
  expect(readFileSync(join(data, 'log'), 'utf8').split('\n')).toEqual([
    `--local-config=${data} ${pod.uuid}`,
    join(pods, 'exited-garbage', pod.uuid),
    'pod-created',
    'stage1',
    'stage1TreeStoreID',
    '',
  ]);
  expect(left()).toEqual([]);
});

test.each([
  { left: 'nothing', records: {}, isRun: false },
  {
    left: 'what was not made yet',
    records: { 'net/lock': '', 'net/00-default.json.tmp': '{}' },
    isRun: false,
  },
  { left: 'groups that have gone', records: { cgroups: '/nowhere/rkt-1\n/nowhere/rkt-2\n' }, isRun: false },
  { left: 'a group', records: { cgroups: `/nowhere/rkt-1\n${tmpdir()}\n` }, isRun: true },
  { left: 'a volume’s disk', records: { 'limitedVolumes/v': '' }, isRun: false },
  { left: 'a volume’s bounded directory', records: { 'limitedVolumes/v/file': '' }, isRun: true },
  { left: 'a network', records: { 'net/lock': '', 'net/00-default.json': '{}' }, isRun: true },
])(
  'of a stage1 that records what it makes, gc is run where it has left some: $left',
  async ({ records, isRun }) => {
    const pod = abandoned('run');
    const manifest = stage1({ name: 'coreos.com/rkt/stage1/records', value: 'true' });
    withStage1(pod, `touch ${data}/log`, manifest);
    for (const [name, content] of Object.entries(records)) put(pod, name, content);
    await collect();
    expect(existsSync(join(data, 'log'))).toBe(isRun);
    expect(left()).toEqual([]);
  },
);

test.each(['prepare', 'prepared', 'garbage'] as const)(
  'no stage1 is asked to clean up behind a pod that never ran (%s)',
  async (phase) => {
    const pod = abandoned(phase);
    withStage1(pod, `touch ${data}/log`);
    await collect();
    expect(existsSync(join(data, 'log'))).toBe(false);
    expect(left()).toEqual([]);
  },
);

test("keeps a pod whose stage1's gc fails, says why, and goes on with the others", async () => {
  const pod = abandoned('run');
  withStage1(pod, 'echo the bridge is on fire >&2; exit 1');
  abandoned('run');
  const failures = (await collect()).flatMap((event) =>
    event.kind === 'failed' ? [String(event.error)] : [],
  );
  expect(failures).toEqual([expect.stringContaining('the bridge is on fire')]);
  expect(left()).toEqual([`exited-garbage/${pod.uuid}`]);
});

test('a pod that lost its stage1 and its manifest can still be removed', async () => {
  const pod = abandoned('run');
  put(pod, 'stage1TreeStoreID', '');
  put(pod, 'stage1/manifest', '');
  put(pod, 'pod', '');
  await collect();
  expect(existsSync(pod.path)).toBe(false);
});

test('rm removes from any phase, and refuses what is held', async () => {
  for (const phase of PHASES.slice(1)) await rm(host(), abandoned(phase).uuid);
  expect(left()).toEqual([]);
  for (const [phase, doing] of [
    ['prepare', 'being prepared'],
    ['run', 'running'],
    ['exited-garbage', 'being deleted'],
  ] as const) {
    using pod = podIn(phase);
    await expect(rm(host(), pod.uuid)).rejects.toThrow(`pod "${pod.uuid}" is currently ${doing}`);
  }
});

test('two who collect at once do not disturb each other', async () => {
  for (let count = 0; count < 6; count++) abandoned('run');
  const events = await Promise.all([collect(), collect()]);
  expect(events.flat().filter(({ kind }) => kind === 'failed')).toEqual([]);
  expect(left()).toEqual([]);
});
