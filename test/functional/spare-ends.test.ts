import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { TEMPLATES } from '../../src/abi/templates.ts';
import { wasKilled } from '../support/crash/system-calls.ts';
import { tinyImages } from '../support/images.ts';
import { cgroupsOf, liveLeftovers, podDirectories } from '../support/leaks.ts';
import { eventually } from '../support/polling.ts';
import { useRkt } from '../support/rkt.ts';
import { type RunningPod, startPod } from '../support/running-pod.ts';
import {
  builtAlone,
  endSpares,
  keepers,
  machineOf,
  oneWaits,
  ownSpares,
  placesOf,
  TAKES,
  waiting,
} from '../support/spares.ts';
import { configureTemplates } from '../support/templates.ts';

// What comes of a spare whose keeper, machine, template or pod ends, or that nobody takes.

const rkt = useRkt();
let image = '';
let key = '';

const build = () => builtAlone(rkt, '--interfaces=0');
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
  ownSpares(rkt);
  key = await build();
});
afterAll(() => endSpares(rkt));

const kill = (pid: number, signal: NodeJS.Signals = 'SIGKILL') => process.kill(pid, signal);
const nobody = () => eventually('nobody is left', () => liveLeftovers(rkt.scope, rkt.dir).length === 0);

/** Gives what it says of its start. */
async function runs(): Promise<string> {
  const args = ['--debug', 'run', '--rm', '--net=none', image];
  const { code, stdout, stderr } = await rkt.run(args);
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'hello from the image\n' });
  return stderr;
}

/** The keeper of one that waits, and its machine. */
async function left(): Promise<{ readonly keeper: number; readonly machine: number }> {
  if (keepers(rkt).length === 0) await runs();
  const { pid: keeper } = await oneWaits(rkt);
  const machine = machineOf(rkt, keeper)?.pid;
  if (machine === undefined) throw new Error('a spare has a machine');
  return { keeper, machine };
}

/** The next pod starts without one, and leaves one in the same place. */
async function startsWithout(): Promise<void> {
  const said = await runs();
  expect(said).toContain(`starts from the template ${key}`);
  expect(said).not.toContain(TAKES);
  await oneWaits(rkt);
  expect(placesOf(rkt, key)).toEqual(['0']);
  expect(await runs()).toContain(TAKES);
}

describe('while nobody has taken it', () => {
  test('its keeper is killed: so is its machine, and the next pod starts without it', async () => {
    const { keeper } = await left();
    kill(keeper);
    await nobody();
    expect(await waiting(rkt)).toBe(0);
    expect(placesOf(rkt, key)).toEqual(['0']);
    await startsWithout();
  });

  test('its keeper is killed before it is ready', async () => {
    const { keeper } = await left();
    const pod = rkt.start(['run', '--net=none', image]);
    const { pid } = await eventually('the next one is made', () =>
      keepers(rkt).find(({ pid }) => pid !== keeper),
    );
    kill(pid);
    expect((await pod.finished).code).toBe(0);
    await nobody();
    await startsWithout();
  });

  test('gc takes away what is left of it, and not one that waits', async () => {
    const { keeper } = await left();
    await rkt.output(['gc']);
    expect(await waiting(rkt)).toBe(1);
    kill(keeper);
    await nobody();
    expect(placesOf(rkt, key)).toEqual(['0']);
    await rkt.output(['gc']);
    expect(placesOf(rkt, key)).toEqual([]);
  });

  test('its machine is killed: its place is free', async () => {
    kill((await left()).machine);
    await nobody();
    expect(placesOf(rkt, key)).toEqual([]);
    await startsWithout();
  });

  test('its keeper does not answer: the pod starts without it', async () => {
    const { keeper } = await left();
    kill(keeper, 'SIGSTOP');
    try {
      const said = await runs();
      expect(said).toContain(`starts from the template ${key}`);
      expect(said).not.toContain(TAKES);
    } finally {
      kill(keeper, 'SIGCONT');
    }
    // Whoever has asked has gone.
    await nobody();
    expect(placesOf(rkt, key)).toEqual([]);
  });

  test('its time is over', async () => {
    configureTemplates(rkt, { scope: 'host', spares: 1, spareSeconds: 3 });
    try {
      await left();
      await nobody();
      expect(placesOf(rkt, key)).toEqual([]);
    } finally {
      configureTemplates(rkt, { scope: 'host', spares: 1 });
    }
  });

  test.each([
    ['template rm', () => ['template', 'rm', key]],
    ['gc', () => ['gc', '--expire-templates=0s']],
  ])('its template is removed by %s', async (_, args) => {
    await left();
    await rkt.output(args());
    await nobody();
    expect(placesOf(rkt, key)).toEqual([]);
    expect(await build()).toBe(key);
  });

  test('its template is removed before it is made: there are spares of the next one', async () => {
    const pod = rkt.start(['--debug', 'run', '--rm', '--net=none', image]);
    await eventually('it starts', () => pod.ended || pod.stderr.includes('starts from the template'));
    rmSync(join(rkt.dir, TEMPLATES, 'host', key), { recursive: true });
    expect((await pod.finished).code).toBe(0);
    await nobody();
    expect(placesOf(rkt, key)).toEqual([]);
    expect(await build()).toBe(key);
    await startsWithout();
  });
});

describe('while a pod takes it', () => {
  test.each([
    ['before it is offered', 'sendmsg', 1],
    ['before its machine moves to the pod', 'clone', 1],
    ['before its place is free', 'unlinkat', 3],
    ['before it has been handed over', 'sendmsg', 2],
  ])('its keeper is killed %s: the pod starts without it', async (_, call, nth) => {
    const { keeper } = await left();
    const log = rkt.path(`${call}-${nth}`);
    const inject = [`--trace=${call}`, `--inject=${call}:signal=KILL:when=${nth}`];
    const killer = rkt.startArgv(['strace', `--output=${log}`, ...inject, `--attach=${keeper}`]);
    await eventually('it is attended to', () => /^TracerPid:\t[1-9]/m.test(statusOf(keeper)));
    await runs();
    await killer.finished;
    expect(wasKilled(log)).toBe(true);
    // That pod, too, leaves one.
    await oneWaits(rkt);
    expect(placesOf(rkt, key)).toEqual(['0']);
    expect(await runs()).toContain(TAKES);
  });
});

const statusOf = (pid: number) => readFileSync(`/proc/${pid}/status`, 'utf8');

describe('while its pod runs', () => {
  /** A pod that has taken one, and leaves none. */
  const start = async () => {
    const { keeper, machine } = await left();
    configureTemplates(rkt, { scope: 'host' });
    const pod = await startPod(rkt, [image, '--exec=/bin/sleep', '--', '100000']);
    expect(keepers(rkt).map(({ pid }) => pid)).toEqual([keeper]);
    expect(machineOf(rkt, keeper)?.pid).toBe(machine);
    configureTemplates(rkt, { scope: 'host', spares: 1 });
    return { pod, keeper, machine };
  };
  /** `gc` leaves nothing of the pod, and the next one is as ever. */
  const clean = async ({ uuid }: RunningPod) => {
    await nobody();
    await rkt.output(['gc', '--grace-period=0s']);
    expect(podDirectories(rkt.dir)).toEqual([]);
    expect(cgroupsOf(new Set([uuid]))).toEqual([]);
    expect(placesOf(rkt, key)).toEqual([]);
    await startsWithout();
  };

  test.each(['keeper', 'machine'] as const)('its %s is killed: the pod has failed', async (who) => {
    const started = await start();
    kill(started[who]);
    const { code, stderr } = await started.pod.command.finished;
    expect(code).toBe(254);
    expect(stderr).toContain('qemu');
    await clean(started.pod);
  });

  test('its supervisor is killed: nobody is left', async () => {
    const { pod } = await start();
    pod.command.signal('SIGKILL');
    expect((await pod.command.finished).code).toBe(137);
    await clean(pod);
  });
});
