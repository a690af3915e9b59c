import { expect, test } from 'vitest';
import { formatStages, runCampaign } from '../support/fuzz/campaign.ts';
import { testSeed } from '../support/random.ts';

const { RKT_TEST_SOAK, RKT_FUZZ_CASES, RKT_FUZZ_ONLY } = process.env;
const CASES = Number(RKT_FUZZ_CASES ?? (RKT_TEST_SOAK === '1' ? 20_000 : 2000));
const LIMIT_MS = 600_000 + CASES * 50;

/**
 * Valid images with a few things wrong with them, checksums and digests repaired so that it is the thing itself that is met.
 * Nothing outside of the store may change, a refusal is one of our errors in one line, and neither memory nor files nor time are
 * used without bound.
 */
test(
  'whatever an image holds, it is taken or refused, and nothing else happens',
  async () => {
    const only = RKT_FUZZ_ONLY === undefined ? undefined : Number(RKT_FUZZ_ONLY);
    const seed = testSeed();
    const [first, end] = only === undefined ? [0, CASES] : [only, only + 1];
    const result = await runCampaign({ seed, first, end });
    const { stages, accepted, failures, peakMegabytes, slowestMilliseconds } = result;
    process.stdout.write(
      `fuzz: seed ${seed}, ${end - first} cases reached: ${formatStages(stages)}; ${accepted} taken; ` +
        `peak ${peakMegabytes.toFixed(0)} MB, slowest ${slowestMilliseconds.toFixed(0)} ms\n`,
    );
    expect(failures.join('\n')).toBe('');
    if (only === undefined) expect(stages.extraction).toBeGreaterThan((end - first) / 3);
  },
  LIMIT_MS,
);
