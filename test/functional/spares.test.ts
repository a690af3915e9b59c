import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SPARES_ENV } from '../../src/abi/spares.ts';
import { tinyImages } from '../support/images.ts';
import { LayoutWriter } from '../support/layout-writer.ts';
import { eventually } from '../support/polling.ts';
import { savedUuid, useRkt } from '../support/rkt.ts';
import {
  builtAlone,
  endSpares,
  keepers,
  oneWaits,
  ownSpares,
  placesOf,
  TAKES,
  waiting,
} from '../support/spares.ts';
import * as tar from '../support/tar-archive.ts';
import { configureTemplates, noneIsMade } from '../support/templates.ts';

// Pods that take machines which were restored ahead of them, and pods that cannot.

const rkt = useRkt();
let image = '';
let key = '';
let count = 0;

beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
  ownSpares(rkt);
  key = await builtAlone(rkt, '--interfaces=0');
});
afterAll(() => endSpares(rkt));

/** Runs a pod of one app, a shell, to its end. */
async function run(script: string, flags: readonly string[] = [], from = image, env = {}) {
  const file = rkt.path(`uuid-${++count}`);
  const words = ['--debug', 'run', '--net=none', `--uuid-file-save=${file}`, from, '--name=app', ...flags];
  const { code, stdout, stderr } = await rkt.run([...words, '--exec=/bin/sh', '--', '-c', script], { env });
  return { code, stdout, said: stderr, uuid: savedUuid(file) ?? '' };
}

/** One that takes the spare which waits. */
async function taken(script: string, ...flags: readonly string[]) {
  await oneWaits(rkt);
  const pod = await run(script, flags);
  expect(pod.said).toContain(TAKES);
  expect(pod.said).not.toMatch(/cold start|is not usable/);
  return pod;
}

/** Whoever takes the one that waits leaves none. */
async function takeAway(): Promise<void> {
  configureTemplates(rkt, { scope: 'host' });
  if (keepers(rkt).length > 0) await taken('true');
  await eventually('nobody keeps one', () => keepers(rkt).length === 0);
}

/** One that starts from the template, and leaves a spare. */
async function restored(script: string) {
  await takeAway();
  configureTemplates(rkt, { scope: 'host', spares: 1 });
  const pod = await run(script);
  expect(pod.said).toContain(`starts from the template ${key}`);
  expect(pod.said).not.toContain(TAKES);
  return pod;
}

test('a pod that starts from a template leaves a spare, and the next takes it and leaves another', async () => {
  const listed = () => rkt.output(['template', 'list', '--no-legend']);
  expect((await listed()).split('\t')[5]).toBe('0');
  const first = await run('echo first');
  expect(first).toMatchObject({ code: 0, stdout: 'first\n' });
  expect(first.said).toContain(`starts from the template ${key}`);
  expect(first.said).not.toContain(TAKES);
  const { pid } = await oneWaits(rkt);
  expect((await listed()).split('\t')[5]).toBe('1');
  const second = await taken('echo second; echo no >&2; exit 7');
  expect(second).toMatchObject({ code: 7, stdout: 'second\n' });
  expect(second.said).toMatch(/^no$/m);
  expect((await oneWaits(rkt)).pid).not.toBe(pid);
});

test('its root shows nothing of what the machine has been through, and what it writes is kept', async () => {
  const script = 'echo mine > /mine; rm /etc/group; find / -xdev | sort; cat /proc/mounts; ls -la /dev';
  const names = async (uuid: string) => {
    const file = rkt.path(`${uuid}.aci`);
    await rkt.output(['export', uuid, file]);
    return execFileSync('tar', ['-tf', file], { encoding: 'utf8' }).split('\n').sort();
  };
  const [one, other] = [await restored(script), await taken(script)];
  // Times of day, and in which order devices were made.
  const lines = ({ stdout }: { readonly stdout: string }) =>
    stdout.split('\n').map((line) => line.replace(/ [A-Z][a-z]{2} +\d+ +\d\d:\d\d/, ''));
  expect(lines(other)).toEqual(lines(one));
  expect(other.stdout).toMatch(/^\/mine$/m);
  await rkt.output(['cp', `${other.uuid}:/mine`, rkt.path('mine')]);
  expect(readFileSync(rkt.path('mine'), 'utf8')).toBe('mine\n');
  const exported = await names(other.uuid);
  expect(exported).toContain('rootfs/mine');
  expect(exported).not.toContain('rootfs/etc/group');
  expect(exported).toEqual(await names(one.uuid));
});

// What identifies a pod or has to be a secret: read as the first thing that its app does.
const IDENTITY = [
  'head -c 32 /dev/urandom | od -An -tx1 | tr -d " \\n"; echo',
  'cat /proc/sys/kernel/random/boot_id /proc/sys/kernel/random/uuid; hostname; date +%s',
].join('; ');
/** Longer than a clock that has stood still with its machine may be behind. */
const STANDING_MS = 3000;

test('those that took a spare, and the one that left the first, are different ones with the right time', async () => {
  const pods: string[][] = [];
  for (const start of [restored, taken, taken, taken]) {
    if (pods.length === 1) await oneWaits(rkt).then(() => sleep(STANDING_MS));
    const before = Math.floor(Date.now() / 1000);
    const words = (await start(IDENTITY)).stdout.trim().split(/\s+/);
    expect(words).toHaveLength(5);
    expect(Number(words[4])).toBeGreaterThanOrEqual(before);
    expect(Number(words[4])).toBeLessThanOrEqual(Date.now() / 1000 + 1);
    pods.push(words);
  }
  for (const column of ['random bytes', 'boot id', 'uuid', 'hostname'].keys())
    expect(new Set(pods.map((words) => words[column])).size).toBe(pods.length);
});

test('of two that start at once, one has it, and the other runs as well', async () => {
  await restored('true');
  await oneWaits(rkt);
  const both = await Promise.all(['one', 'other'].map((name) => run(`echo ${name} | tee /name; exit 3`)));
  expect(both.map(({ code, stdout }) => ({ code, stdout }))).toEqual([
    { code: 3, stdout: 'one\n' },
    { code: 3, stdout: 'other\n' },
  ]);
  expect(both.filter(({ said }) => said.includes(TAKES))).not.toEqual([]);
  for (const { said } of both) expect(said).toContain(`starts from the template ${key}`);
  // As many as there are to be.
  await oneWaits(rkt);
});

test('who calls rkt cannot have spares made where the configuration has none', async () => {
  await takeAway();
  const { code, said } = await run('true', [], image, { [SPARES_ENV]: '1:60' });
  expect(code).toBe(0);
  expect(said).toContain(`starts from the template ${key}`);
  expect(keepers(rkt)).toEqual([]);
  expect(placesOf(rkt, key)).toEqual([]);
});

describe('what a spare is not for starts without it, and leaves it where it is', () => {
  const untouched = async (script: string, flags: readonly string[] = [], from = image) => {
    const { pid } = await oneWaits(rkt);
    const pod = await run(script, flags, from);
    expect(pod.said).not.toContain(TAKES);
    expect(pod.code).toBe(0);
    await noneIsMade(rkt);
    expect((await oneWaits(rkt)).pid).toBe(pid);
    return pod;
  };
  beforeAll(async () => void (await restored('true')));

  test("a pod with a volume of the host's", async () => {
    const source = rkt.path('source');
    mkdirSync(source);
    writeFileSync(`${source}/file`, 'of the host\n');
    const flags = [`--volume=v,kind=host,source=${source}`, '--mount=volume=v,target=/v'];
    const { stdout, said } = await untouched('cat /v/file', flags);
    expect(stdout).toBe('of the host\n');
    expect(said).toContain(`starts from the template ${key}`);
  });

  test('an image of more layers', async () => {
    const layout = new LayoutWriter(rkt.path('layout'));
    const base = tar.archive(
      tar.directory('bin'),
      tar.entry({ name: 'bin/busybox', mode: 0o755 }, readFileSync('/bin/busybox')),
      ...['sh', 'cat'].map((name) => tar.symlink(`bin/${name}`, 'busybox')),
    );
    const layers = [base, tar.archive(tar.file('upper', 'of the upper layer'))];
    const from = layout.tag(layout.image({ layers, config: {} }), 'deep');
    const { stdout, said } = await untouched('cat /upper', [], from);
    expect(stdout).toBe('of the upper layer');
    expect(said).toContain('cold start: there is no template');
  });

  test('a pod of another size, of whose kind there are others', async () => {
    const memory = 'grep MemTotal /proc/meminfo | tr -dc 0-9';
    const flags = ['--memory=64Mi'];
    expect((await untouched(memory, flags)).said).toContain('cold start: there is no template');
    await run('true', flags);
    await eventually('one of either kind waits', async () => (await waiting(rkt)) === 2);
    const [small, usual] = [await run(memory, flags), await run(memory)];
    for (const { said } of [small, usual]) expect(said).toContain(TAKES);
    expect(Number(small.stdout)).toBeLessThan(200 * 1024);
    expect(Number(usual.stdout)).toBeGreaterThan(300 * 1024);
  });
});
