import { expect, test } from 'vitest';
import { CrashCampaign } from '../support/crash/campaign.ts';
import { tinyImages } from '../support/images.ts';
import { randomFrom, testSeed } from '../support/random.ts';
import { useRkt } from '../support/rkt.ts';
import { noneIsMade, TEMPLATES_EVERYWHERE } from '../support/templates.ts';

// SIGKILL at system calls of every command that changes pods: whatever it leaves is understood, and goes away.

const rkt = useRkt();
const { RKT_TEST_SOAK } = process.env;
const POINTS = RKT_TEST_SOAK === '1' ? 200 : 20;
/** After every so many rounds a whole pod is run. */
const RUN_EVERY = RKT_TEST_SOAK === '1' ? 1 : 5;
/** How often each row of the state table must have been hit. */
const LEAST = RKT_TEST_SOAK === '1' ? 5 : 1;
const seed = testSeed();

test(`${POINTS} crashes leave nothing that is not understood (seed ${seed})`, async () => {
  const image = (await tinyImages()).aci.plain;
  // What is recorded starts as what is killed.
  if (TEMPLATES_EVERYWHERE) {
    await rkt.output(['run', '--net=none', image]);
    await noneIsMade(rkt);
  }
  const campaign = new CrashCampaign({ rkt, image }, randomFrom(seed));
  await campaign.record();
  const { histogram } = campaign;
  const isDone = () => campaign.killed >= POINTS && histogram.rowsBelow(LEAST).length === 0;
  for (let round = 1; !isDone() && campaign.killed < 2 * POINTS; round++)
    await campaign.round(round % RUN_EVERY === 0);
  await campaign.nextRun();
  const { killed, missed } = campaign;
  process.stdout.write(
    `crash campaign, seed ${seed}: ${killed} killed, ${missed} ended before; pods found in\n${histogram.text()}`,
  );
  expect(histogram.rowsBelow(LEAST)).toEqual([]);
}, 3_600_000);
