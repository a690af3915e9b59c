import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { tinyImages } from '../support/images.ts';
import { randomFrom, testSeed } from '../support/random.ts';
import { TestRegistry } from '../support/registry.ts';
import { useRkt } from '../support/rkt.ts';
import { storeFiles } from '../support/store-files.ts';
import { tool } from '../support/tool.ts';

// Many who fetch, run, remove and collect the same images at once, some of whom are killed at any point.

const rkt = useRkt();
const { RKT_TEST_SOAK } = process.env;
const ROUNDS = RKT_TEST_SOAK === '1' ? 4 : 1;
const AT_ONCE = RKT_TEST_SOAK === '1' ? 50 : 20;
const seed = testSeed();
const random = randomFrom(seed);
/** A fetch of one of these takes less; a run, which boots a machine, more. Kills fall anywhere within. */
const LONGEST_DELAY = 2000;

let registry: TestRegistry;
let images: readonly string[] = [];
beforeAll(async () => {
  registry = await TestRegistry.start();
  const { ociLayout, aci } = await tinyImages();
  const layered = rkt.path('layered');
  await tool('skopeo', ['copy', '-q', `oci:${ociLayout}:latest`, `oci:${layered}:latest`]);
  // Shares the first image's layer.
  for (const name of ['one', 'two'])
    await tool('umoci', ['insert', '--image', `${layered}:latest`, '/bin/busybox', `/opt/${name}`]);
  await registry.push(`oci:${ociLayout}:latest`, 'tiny:1');
  await registry.push(`oci:${layered}:latest`, 'layered:1');
  images = [`docker://${registry.address}/tiny:1`, `docker://${registry.address}/layered:1`, aci.gzip];
});
afterAll(() => registry.close());

interface Action {
  readonly name: string;
  readonly share: number;
  readonly args: (image: string) => readonly string[];
  /** Exit codes that it may have: who loses a race is told so. */
  readonly codes: readonly number[];
}

const INSECURE = '--insecure-options=image,http';
/** `rkt` refuses with this, in words. */
const REFUSED = 254;
const ACTIONS: readonly Action[] = [
  { name: 'fetch', share: 5, args: (image) => ['fetch', INSECURE, image], codes: [0] },
  {
    name: 'run',
    share: 3,
    args: (image) => ['run', INSECURE, '--net=none', image, '--exec=/bin/true'],
    codes: [0],
  },
  { name: 'rm', share: 2, args: (image) => ['image', 'rm', image], codes: [0, REFUSED] },
  { name: 'collect images', share: 1, args: () => ['image', 'gc', '--grace-period=0s'], codes: [0] },
  { name: 'collect pods', share: 1, args: () => ['gc', '--grace-period=0s'], codes: [0] },
  { name: 'verify', share: 1, args: (image) => ['image', 'verify', image], codes: [0, REFUSED] },
];

function pick<T>(list: readonly T[]): T {
  const chosen = list[Math.floor(random() * list.length)];
  if (chosen === undefined) throw new Error('nothing to pick from');
  return chosen;
}

/** Dealt round by round, so that nobody is left out. */
const DECK = ACTIONS.flatMap((action) => Array.from({ length: action.share }, () => action));

function dealt(n: number): Action {
  const action = DECK[n % DECK.length];
  if (action === undefined) throw new Error('the deck is empty');
  return action;
}

interface Outcome {
  readonly what: string;
  readonly isKilled: boolean;
  readonly isGood: boolean;
  readonly told: string;
}

async function act(action: Action, image: string, killAfter: number | undefined): Promise<Outcome> {
  const command = rkt.start(action.args(image), { timeoutSeconds: 300 });
  if (killAfter !== undefined) {
    await sleep(killAfter);
    if (!command.ended) command.signal('SIGKILL');
  }
  const { code, stderr } = await command.finished;
  const isKilled = code === 128 + 9;
  const isGood = isKilled || (action.codes.includes(code) && !/^\s+at |TypeError|ENOENT/m.test(stderr));
  return { what: action.name, isKilled, isGood, told: `${action.name} ${image}: exit ${code}: ${stderr}` };
}

test(`the store stays whole under ${ROUNDS * AT_ONCE} who use it at once (seed ${seed})`, async () => {
  const outcomes: Outcome[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const running = Array.from({ length: AT_ONCE }, (_, n) => {
      const isKilled = random() < 0.45;
      return act(dealt(n), pick(images), isKilled ? random() * LONGEST_DELAY : undefined);
    });
    outcomes.push(...(await Promise.all(running)));
  }
  const counts = ACTIONS.map(({ name }) => {
    const of = outcomes.filter(({ what }) => what === name);
    return `${name} ${of.length} (${of.filter(({ isKilled }) => isKilled).length} killed)`;
  });
  process.stdout.write(`image races, seed ${seed}: ${counts.join(', ')}\n`);
  expect(outcomes.filter(({ isGood }) => !isGood).map(({ told }) => told)).toEqual([]);
  expect(outcomes.some(({ isKilled }) => isKilled)).toBe(true);

  for (const image of images) {
    await rkt.output(['fetch', INSECURE, image]);
    const verified = await rkt.run([
      'image',
      'verify',
      image.startsWith('docker:') ? image : 'example.com/tiny',
    ]);
    expect(verified).toMatchObject({ code: 0, stderr: '' });
    expect(verified.stdout).toMatch(/^successfully verified checksum for image/);
  }
  await rkt.output(['gc', '--grace-period=0s', '--expire-prepared=0s']);
  const listed = (await rkt.output(['image', 'list', '--no-legend', '--full', '--fields=id'])).trim();
  await rkt.output(['image', 'rm', ...listed.split('\n')]);
  await rkt.output(['image', 'gc', '--grace-period=0s']);
  expect(storeFiles(rkt.dir, [])).toEqual([]);
});
