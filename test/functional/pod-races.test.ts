import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, expect, test } from 'vitest';
import type { Finished } from '../support/command.ts';
import { tinyImages } from '../support/images.ts';
import { randomFrom, testSeed } from '../support/random.ts';
import { useRkt } from '../support/rkt.ts';

// Two of every command that wants one and the same pod, all at once: each step of a life is made by one of them, and the
// others are told what has become of it.

const rkt = useRkt();
const { RKT_TEST_SOAK } = process.env;
const ROUNDS = RKT_TEST_SOAK === '1' ? 40 : 3;
const seed = testSeed();
const random = randomFrom(seed);
/** Within this all begin: that is longer than any of them but a run takes. */
const LONGEST_DELAY = 1500;

let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
});

interface Racer {
  readonly name: string;
  readonly args: (pod: string) => readonly string[];
  /** What it prints, for each way in which it may end; a lost race is one of them. */
  readonly ends: readonly End[];
}

interface End {
  readonly what: string;
  readonly codes: readonly number[];
  readonly stdout?: RegExp;
  /** All of it, once warnings about this machine are taken off. */
  readonly stderr?: RegExp;
}

const UUID = '[0-9a-f-]{36}';
const GONE = `(no matches found for "${UUID}"|pod "${UUID}" was removed)`;
const REFUSED = [254];
const NOTHING = /^$/;

const RACERS: readonly Racer[] = [
  {
    name: 'run-prepared',
    args: (pod) => ['run-prepared', '--net=none', pod],
    ends: [
      // By its app's own word, or by a stop before there was an app.
      { what: 'ran', codes: [4, 143] },
      {
        what: 'lost',
        codes: REFUSED,
        stderr: new RegExp(
          `^run-prepared: (pod "${UUID}" is not prepared: (another command has taken it|its state is ` +
            `(running|exited|exited garbage|exited deleting|garbage|deleting))|${GONE})\n$`,
        ),
      },
    ],
  },
  {
    name: 'rm',
    args: (pod) => ['rm', pod],
    ends: [
      { what: 'removed', codes: [0], stdout: new RegExp(`^"${UUID}"\n$`) },
      {
        what: 'lost',
        codes: REFUSED,
        stderr: new RegExp(
          `^rm: (pod "${UUID}" is currently (running|being deleted)|${GONE})\nrm: failed to remove one or more pods\n$`,
        ),
      },
    ],
  },
  {
    name: 'gc',
    args: () => ['gc', '--grace-period=0s', '--expire-prepared=0s'],
    ends: [
      {
        what: 'done',
        codes: [0],
        stdout: new RegExp(`^(Garbage collecting pod "${UUID}"\n)*$`),
        stderr: new RegExp(`^(gc: moving pod "${UUID}" to garbage\n)*$`),
      },
    ],
  },
  {
    name: 'stop',
    args: (pod) => ['stop', pod],
    ends: [
      { what: 'stopped', codes: [0], stdout: new RegExp(`^"${UUID}"\n$`) },
      { what: 'ended before', codes: [0], stdout: new RegExp(`^pod "${UUID}" is already stopped\n$`) },
      {
        what: 'lost',
        codes: REFUSED,
        stderr: new RegExp(
          `^stop: (pod "${UUID}" isn't currently running|${GONE})\nstop: failed to stop one or more pods\n$`,
        ),
      },
    ],
  },
  {
    name: 'status',
    args: (pod) => ['status', pod],
    ends: [
      { what: 'told', codes: [0], stdout: /^state=\S/ },
      { what: 'lost', codes: REFUSED, stderr: new RegExp(`^status: ${GONE}\n$`) },
    ],
  },
  {
    name: 'list',
    args: () => ['list', '--format=json'],
    ends: [{ what: 'told', codes: [0], stdout: /^(null|\[.*\])\n$/s }],
  },
  {
    name: 'prepare',
    args: () => ['prepare', '--pod-name=one-of-two', image],
    ends: [
      { what: 'prepared', codes: [0], stdout: new RegExp(`^${UUID}\n$`) },
      {
        what: 'lost',
        codes: REFUSED,
        stderr: new RegExp(`^prepare: pod name "one-of-two" is taken by pod "${UUID}" \\([a-z ]+\\)\n$`),
      },
    ],
  },
];

/** The first so many of them make a step of the pod's life. */
const TAKERS = 3;

/** Where there is no virtual hardware the pod says so. */
const withoutRemarks = (stderr: string) => stderr.replaceAll(/^run: no hardware virtualization .*\n/gm, '');

function endOf({ ends }: Racer, { code, stdout, stderr }: Finished): string | undefined {
  const fits = (end: End) =>
    end.codes.includes(code) &&
    (end.stdout ?? NOTHING).test(stdout) &&
    (end.stderr ?? NOTHING).test(withoutRemarks(stderr));
  return ends.find(fits)?.what;
}

interface Outcome {
  readonly racer: string;
  readonly end: string;
  readonly told: Finished;
}

const script = 'trap "exit 4" TERM; while :; do sleep 0.1; done';

/** Those who are `favoured` begin at once, so that each has a chance to be the first. */
async function race(pod: string, favoured: Racer | undefined): Promise<Outcome[]> {
  const start = async (racer: Racer): Promise<Outcome> => {
    if (racer !== favoured) await sleep(random() * LONGEST_DELAY);
    const told = await rkt.run(racer.args(pod), { timeoutSeconds: 300 });
    const end = endOf(racer, told);
    expect(end, `${racer.name}: exit ${told.code}: ${told.stdout}${told.stderr}`).toBeDefined();
    return { racer: racer.name, end: end ?? '', told };
  };
  const racing = [...RACERS, ...RACERS].map(start);
  let isOver = false;
  const all = Promise.allSettled(racing).finally(() => {
    isOver = true;
  });
  await sleep(LONGEST_DELAY);
  // Who runs the pod does so until somebody stops it: that may have to be us.
  while (!isOver) {
    await sleep(1000);
    await rkt.run(['stop', pod], { timeoutSeconds: 300 });
  }
  await all;
  return await Promise.all(racing);
}

test(`of two of each who want one pod one gets it, ${ROUNDS} times (seed ${seed})`, async () => {
  const counts = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    const pod = (await rkt.output(['prepare', image, '--exec=/bin/sh', '--', '-c', script])).trimEnd();
    const outcomes = await race(pod, RACERS[round % TAKERS]);
    const number = (racer: string, end: string) =>
      outcomes.filter((one) => one.racer === racer && one.end === end).length;
    const collected = outcomes.filter(({ told }) => told.stdout.includes(`collecting pod "${pod}"`)).length;
    const isThere = (await rkt.list()).some(({ name }) => name === pod);
    // Run at most once; removed at most once; one of both.
    expect(number('run-prepared', 'ran')).toBeLessThanOrEqual(1);
    expect(number('rm', 'removed') + collected).toBe(isThere ? 0 : 1);
    expect(number('run-prepared', 'ran') + number('rm', 'removed') + collected).toBeGreaterThan(0);
    for (const { racer, end } of outcomes)
      counts.set(`${racer} ${end}`, (counts.get(`${racer} ${end}`) ?? 0) + 1);
    await rkt.output(['gc', '--grace-period=0s', '--expire-prepared=0s']);
    expect(await rkt.list()).toEqual([]);
  }
  const shown = [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, count]) => `${name} ${count}`);
  process.stdout.write(`pod races, seed ${seed}: ${shown.join(', ')}\n`);
});
