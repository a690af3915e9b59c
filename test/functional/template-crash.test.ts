import { expect, test } from 'vitest';
import { TemplateCampaign } from '../support/crash/template-campaign.ts';
import { tinyImages } from '../support/images.ts';
import { randomFrom, testSeed } from '../support/random.ts';
import { useRkt } from '../support/rkt.ts';
import { ownTemplates } from '../support/templates.ts';

// SIGKILL of whoever makes or removes saved machines, by commands and in the background.

const rkt = useRkt();
const { RKT_TEST_SOAK } = process.env;
const IS_SOAK = RKT_TEST_SOAK === '1';
/** How many are killed, and how often. */
const VICTIMS = IS_SOAK ? 7 : 1;
const TURNS = IS_SOAK ? 10 : 1;
/** One may end before its call, or before it is met. */
const MOST_MISSED = 4 * TURNS;
const seed = testSeed();

test(`crashes leave no saved machine that is not whole, and nothing in the way of the next (seed ${seed})`, async () => {
  ownTemplates(rkt, { scope: 'host' });
  rkt.configure('vm', { rootfs: 'block' });
  const { plain } = (await tinyImages()).aci;
  const random = randomFrom(seed);
  const campaign = new TemplateCampaign(rkt, plain, random);
  await campaign.begin();
  const { killed, names } = campaign;
  while (names.length > VICTIMS) names.splice(Math.floor(random() * names.length), 1);
  for (const name of names)
    for (let tries = 0; (killed.get(name) ?? 0) < TURNS && tries < TURNS + MOST_MISSED; tries++)
      await campaign.round(name);
  const text = names.map((name) => `  ${name.padEnd(32)} ${killed.get(name) ?? 0}\n`).join('');
  process.stdout.write(`crashes around templates, seed ${seed}: killed\n${text}`);
  expect(names.map((name) => killed.get(name))).toEqual(names.map(() => TURNS));
}, 7_200_000);
