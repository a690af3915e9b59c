import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Finished, RunningCommand } from '../support/command.ts';
import { FLAVOURS } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { randomFrom, testSeed } from '../support/random.ts';
import { useRkt } from '../support/rkt.ts';
import { endPod, type RunningPod, startSandbox, useRunningPods } from '../support/running-pod.ts';

const IMAGE = 'example.com/tiny';
const LOOP = 'while :; do sleep 0.1; done';
const { RKT_TEST_SOAK } = process.env;
const TIMES = RKT_TEST_SOAK === '1' ? 4 : 1;
const seed = testSeed();
const random = randomFrom(seed);
const pick = <T>(list: readonly [T, ...T[]]): T => list[Math.floor(random() * list.length)] ?? list[0];
const rkt = useRkt();
const pods = useRunningPods();
beforeAll(async () => {
  await rkt.output(['fetch', (await tinyImages()).aci.plain]);
});

const WORDS = ['add', 'start', 'stop', 'rm'] as const;
type Word = (typeof WORDS)[number];

/** What is done before a word makes sense. */
const WORDS_BEFORE = { add: [], start: ['add'], rm: ['add', 'start'] } as const satisfies Partial<
  Record<Word, readonly Word[]>
>;

function argsOf(word: Word, { uuid }: RunningPod, name: string): string[] {
  if (word !== 'add') return ['app', word, uuid, `--app=${name}`];
  return ['app', 'add', uuid, IMAGE, `--name=${name}`, '--exec=/bin/sh', '--', '-c', LOOP];
}

const act = (word: Word, pod: RunningPod, name: string) => rkt.run(argsOf(word, pod, name));

/** Two commands, the second a moment after the first. */
async function race(
  pod: RunningPod,
  name: string,
  [first, second]: readonly [Word, Word],
): Promise<Finished[]> {
  const one = rkt.start(argsOf(first, pod, name));
  await sleep(random() * 250);
  const other = rkt.start(argsOf(second, pod, name));
  return await Promise.all([one.finished, other.finished]);
}

const codesOf = (results: readonly Finished[]) => results.map(({ code }) => code);
const EXISTS = /^add: app "\w+" is in the pod already\n$/;
const NONE = /^\w+: no app "\w+" in the pod\n$/;
/** Of a start that another's word to stop the app has overtaken. */
const NONE_OR_STOPPED = /^\w+: (no app "\w+" in the pod|it was stopped before it had started)\n$/;

async function namesIn({ uuid }: RunningPod): Promise<string[]> {
  const list = await rkt.output(['app', 'list', '--no-legend', uuid]);
  return list.split('\n').flatMap((line) => line.split('\t')[0] || []);
}

/** What the pod has of apps is what it says it has; each is as good as new. */
async function expectWhole(pod: RunningPod): Promise<void> {
  const names = (await namesIn(pod)).sort();
  const directory = join(rkt.dir, 'pods/run', pod.uuid);
  const mounts = readFileSync(`/proc/${pod.command.pid}/mountinfo`, 'utf8');
  const mounted = [...mounts.matchAll(/opt\/stage2\/([a-z0-9-]+)\/rootfs /g)].map(([, name]) => name);
  const steps: readonly { readonly target: string }[] = JSON.parse(
    readFileSync(join(directory, 'mounts.json'), 'utf8'),
  ).mounts;
  const planned = steps.flatMap(({ target }) => /stage2\/(.*)\/rootfs$/.exec(target)?.[1] ?? []);
  expect({
    mounted: mounted.sort(),
    planned: planned.sort(),
    kept: readdirSync(join(directory, 'appsinfo')).sort(),
  }).toEqual({ mounted: names, planned: names, kept: names });
  for (const name of names) {
    await rkt.output(argsOf('start', pod, name));
    const script = 'cat /etc/passwd';
    const seen = await rkt.output(['app', 'exec', `--app=${name}`, pod.uuid, '/bin/sh', '-c', script]);
    expect(seen).toContain('alice');
  }
}

describe.each(FLAVOURS.filter(({ mutablePods }) => mutablePods))(`$name, seed ${seed}`, ({ image }) => {
  let pod: RunningPod;
  beforeAll(async () => {
    pod = await startSandbox(rkt, [`--stage1-path=${image}`]);
    pods.push(pod);
  });

  test('of two who add an app of one name one does, the other is told', async () => {
    for (let round = 0; round < 3 * TIMES; round++) {
      const results = await race(pod, 'twin', ['add', 'add']);
      expect(codesOf(results).sort()).toEqual([0, 254]);
      expect(results.find(({ code }) => code !== 0)?.stderr).toMatch(EXISTS);
      await expectWhole(pod);
      await rkt.output(argsOf('rm', pod, 'twin'));
    }
  });

  test('of two who remove an app one does, the other is told', async () => {
    for (let round = 0; round < 2 * TIMES; round++) {
      await rkt.output(argsOf('add', pod, 'gone'));
      if (random() < 0.5) await rkt.output(argsOf('start', pod, 'gone'));
      const results = await race(pod, 'gone', ['rm', 'rm']);
      expect(codesOf(results).sort()).toEqual([0, 254]);
      expect(results.find(({ code }) => code !== 0)?.stderr).toMatch(NONE);
      await expectWhole(pod);
    }
  });

  test('two who start an app have it started', async () => {
    for (let round = 0; round < 2 * TIMES; round++) {
      await rkt.output(argsOf('add', pod, 'both'));
      expect(codesOf(await race(pod, 'both', ['start', 'start']))).toEqual([0, 0]);
      expect(await rkt.output(['app', 'list', pod.uuid])).toMatch(/^both\t+running$/m);
      await rkt.output(argsOf('rm', pod, 'both'));
    }
  });

  test('an app that is removed is not started any more', async () => {
    for (let round = 0; round < 3 * TIMES; round++) {
      await rkt.output(argsOf('add', pod, 'late'));
      const [removal, start] = await race(pod, 'late', ['rm', 'start']);
      expect(removal?.code).toBe(0);
      if (start?.code !== 0) expect(start?.stderr).toMatch(NONE_OR_STOPPED);
      expect(await namesIn(pod)).not.toContain('late');
      await expectWhole(pod);
    }
  });

  test('whatever several do at once, each is told what became of it, and the pod is whole', async () => {
    const names = ['a', 'b'] as const;
    const worker = async () => {
      for (let step = 0; step < 6 * TIMES; step++) {
        const [word, name] = [pick(WORDS), pick(names)];
        const { code, stderr } = await act(word, pod, name);
        if (code !== 0) expect(stderr).toMatch(word === 'add' ? EXISTS : NONE_OR_STOPPED);
      }
    };
    await Promise.all([worker(), worker(), worker()]);
    await expectWhole(pod);
    for (const name of await namesIn(pod)) await rkt.output(argsOf('rm', pod, name));
  });

  test.each(['add', 'start', 'rm'] as const)(
    '%s that is killed is repeated, or has done its work',
    async (word) => {
      const own = await startSandbox(rkt, [`--stage1-path=${image}`]);
      const before = WORDS_BEFORE[word];
      const make = async () => {
        for (const other of before) await rkt.output(argsOf(other, own, 'cut'));
      };
      await make();
      const begin = performance.now();
      await rkt.output(argsOf(word, own, 'cut'));
      const whole = performance.now() - begin;
      if (word !== 'rm') await rkt.output(argsOf('rm', own, 'cut'));
      for (let round = 0; round < 5 * TIMES; round++) {
        await make();
        await cut(rkt.start(argsOf(word, own, 'cut')), random() * whole);
        const isThere = (await namesIn(own)).includes('cut');
        const { code, stderr } = await act(word, own, 'cut');
        if (code !== 0) {
          expect(stderr).toMatch(word === 'add' ? EXISTS : NONE);
          expect(isThere).toBe(word === 'add');
        }
        await expectWhole(own);
        if (word !== 'rm') await rkt.output(argsOf('rm', own, 'cut'));
      }
      await endPod(own);
    },
  );

  test('who adds an app while the pod is stopped is told; nothing of it stays', async () => {
    for (let round = 0; round < 2 * TIMES; round++) {
      const own = await startSandbox(rkt, [`--stage1-path=${image}`]);
      const stop = rkt.start(['stop', own.uuid]);
      await sleep(random() * 400);
      const { code, stderr } = await act('add', own, 'late');
      expect((await stop.finished).code).toBe(0);
      expect((await own.command.finished).code).toBe(0);
      if (code !== 0)
        expect(stderr).toMatch(/^add: [^\n]*(ended|not running|isn't currently running)[^\n]*\n$/);
      const names = await namesIn(own);
      expect(names).toEqual(code === 0 ? ['late'] : []);
      if (code === 0) await rkt.output(argsOf('rm', own, 'late'));
      expect(existsSync(join(rkt.dir, 'pods/run', own.uuid, 'appsinfo/late'))).toBe(false);
    }
  });
});

/** SIGKILL after so many milliseconds, unless it has ended. */
async function cut(command: RunningCommand, milliseconds: number): Promise<void> {
  await sleep(milliseconds);
  command.signal('SIGKILL');
  await command.finished;
}
