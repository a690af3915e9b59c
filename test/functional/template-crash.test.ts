import { expect, test } from 'vitest';
import { TemplateCampaign } from '../support/crash/template-campaign.ts';
import { tinyImages } from '../support/images.ts';
import { randomFrom, testSeed } from '../support/random.ts';
import { useRkt } from '../support/rkt.ts';
import { ownTemplates } from '../support/templates.ts';

// SIGKILL of whoever makes or removes saved machines, by commands and in the background.

const rkt = useRkt();
const { RKT_TEST_SOAK } = process.env;
/** Each has its turn. */
const TURNS = RKT_TEST_SOAK === '1' ? 15 : 1;
const seed = testSeed();

test(`crashes leave no saved machine that is not whole, and nothing in the way of the next (seed ${seed})`, async () => {
  ownTemplates(rkt, { scope: 'host' });
  rkt.configure('vm', { rootfs: 'block' });
  const { plain } = (await tinyImages()).aci;
  const campaign = new TemplateCampaign(rkt, plain, randomFrom(seed));
  await campaign.record();
  const { killed, names } = campaign;
  const isDone = () => names.every((name) => (killed.get(name) ?? 0) >= TURNS);
  for (let round = 0; !isDone() && round < 3 * TURNS * names.length; round++) await campaign.round(round);
  const text = names.map((name) => `  ${name.padEnd(32)} ${killed.get(name) ?? 0}\n`).join('');
  process.stdout.write(`crashes around templates, seed ${seed}: killed\n${text}`);
  expect(isDone()).toBe(true);
}, 3_600_000);
