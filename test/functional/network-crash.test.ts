import { test } from 'vitest';
import { PLUGIN_SETS } from '../support/cni-chain.ts';
import { NetworkCrashCampaign } from '../support/network-crash/campaign.ts';
import { CrashSite } from '../support/network-crash/site.ts';
import { randomFrom, testSeed } from '../support/random.ts';

// SIGKILL while plugins make networks of pods and take them away: gc leaves what was there before, and what is somebody else's.

const { RKT_TEST_SOAK } = process.env;
const POINTS = RKT_TEST_SOAK === '1' ? 100 : 10;
const seed = testSeed();

// Each has a machine of its own, and waits much of the time.
test.concurrent.for(PLUGIN_SETS)(
  `${POINTS} crashes of plugins of $of leave no interface, lease, rule or process (seed ${seed})`,
  { timeout: 3_600_000 },
  async (plugins, { expect, onTestFinished }) => {
    const site = await CrashSite.start(plugins);
    onTestFinished(() => site.close());
    const campaign = await NetworkCrashCampaign.start(site, randomFrom(seed));
    while (campaign.killed < POINTS && campaign.missed < POINTS) await campaign.crash();
    const { killed, missed } = campaign;
    process.stdout.write(
      `network crashes with plugins of ${plugins.of}, seed ${seed}: ${killed} killed, ${missed} ended before\n${campaign.text()}`,
    );
    expect(killed).toBe(POINTS);
  },
);
