import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import type { RunningCommand } from '../support/command.ts';
import { FLAVOURS } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { cgroupsOf, liveLeftovers } from '../support/leaks.ts';
import { eventually } from '../support/polling.ts';
import { randomFrom, testSeed } from '../support/random.ts';
import { savedUuid, useRkt } from '../support/rkt.ts';

const rkt = useRkt();
const { RKT_TEST_SOAK } = process.env;
const TIMES = RKT_TEST_SOAK === '1' ? 10 : 1;
const seed = testSeed();
const random = randomFrom(seed);
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
});

function pod(stage1: string, uuidFile: string): string[] {
  const app = [image, '--name=victim', '--exec=/bin/sh', '--', '-c', 'echo up; sleep 0.5'];
  return ['run', '--net=none', `--stage1-path=${stage1}`, `--uuid-file-save=${uuidFile}`, ...app];
}

/** Beside the supervisor: the kernel's names of the processes, shortened. */
type Victim = 'supervisor' | 'qemu' | 'virtiofsd' | 'init';
const VICTIMS: Readonly<Record<string, readonly Victim[]>> = {
  'stage1-kvm': ['supervisor', 'qemu', 'virtiofsd'],
  'stage1-ns': ['supervisor', 'init'],
};

/** Kills it as soon as it is there and the moment has come; false when the pod ended before. */
async function kill(victim: Victim, command: RunningCommand, delay: number): Promise<boolean> {
  await sleep(delay);
  return await eventually(`${victim} to kill`, () => {
    if (command.ended) return 'gone';
    const processes = rkt.scope.processes();
    const pids =
      victim === 'supervisor'
        ? [command.pid]
        : processes.filter(({ name }) => name.startsWith(victim)).map(({ pid }) => pid);
    return pids.length === 0 ? undefined : pids;
  }).then((pids) => {
    if (pids === 'gone') return false;
    for (const pid of pids) endProcess(pid);
    return true;
  });
}

function endProcess(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended between the look and the kill.
  }
}

async function killOnce(stage1: string, victim: Victim, moment: number): Promise<void> {
  const file = rkt.path('victim');
  rmSync(file, { force: true });
  const command = rkt.start(pod(stage1, file));
  const killed = await kill(victim, command, moment);
  const { code, stderr } = await command.finished;
  if (killed && victim === 'supervisor') expect([128 + 9, 0]).toContain(code);
  // A pod that had all but ended may win the race; one that did not says what happened to it.
  else if (code !== 0) {
    expect(code).toBe(254);
    expect(stderr).toMatch(new RegExp(victim, 'i'));
  }
  expect(stderr).not.toMatch(/^\s+at /m);

  // The kernel takes the pod down with its supervisor: nothing of it lives on, only its directory and empty cgroups.
  await eventually(
    'processes and mounts of the pod are gone',
    () => liveLeftovers(rkt.scope, rkt.dir).length === 0,
  );
  const uuid = savedUuid(file);
  const states = (await rkt.list()).filter(({ name }) => name === uuid).map(({ state }) => state);
  for (const state of states) expect(['exited', 'aborted prepare', 'prepared']).toContain(state);

  const pods = new Set(rkt.notePods());
  const collected = await rkt.run(['gc', '--grace-period=0s', '--expire-prepared=0s']);
  expect(collected).toMatchObject({ code: 0 });
  expect(await rkt.list()).toEqual([]);
  expect(cgroupsOf(pods)).toEqual([]);
}

describe(`kill -9, seed ${seed} (RKT_TEST_SEED)`, () => {
  describe.each(FLAVOURS)('$name', ({ name, image: stage1 }) => {
    /** What a whole pod takes here, from start to exit: kills fall anywhere within. */
    let lifetime = 0;
    beforeAll(async () => {
      await rkt.output(['run', '--net=none', `--stage1-path=${stage1}`, image]);
      const { code, milliseconds } = await rkt.run(pod(stage1, rkt.path('first')));
      expect(code).toBe(0);
      lifetime = milliseconds;
    });

    test('a pod that ends by itself leaves no record of groups, so that gc starts nothing for it', async () => {
      const file = rkt.path('unharmed');
      rmSync(file, { force: true });
      const command = rkt.start(pod(stage1, file));
      const directory = () => join(rkt.dir, 'pods/run', savedUuid(file) ?? '');
      await eventually('its groups are recorded', () => existsSync(join(directory(), 'cgroups')));
      expect(await command.finished).toMatchObject({ code: 0 });
      expect(readdirSync(directory())).toEqual(expect.not.arrayContaining(['cgroups', 'net']));
    });

    describe.each(VICTIMS[name] ?? [])('of %s', (victim) => {
      // Moments are spread over the pod's life, each somewhere in its own part of it.
      for (let index = 0; index < TIMES; index++) {
        const fraction = (index + random()) / TIMES;
        test(`at ${Math.round(fraction * 100)} % of a pod's life`, () =>
          killOnce(stage1, victim, fraction * lifetime));
      }
    });
  });
});
