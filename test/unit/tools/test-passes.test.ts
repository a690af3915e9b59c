import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { rootDir } from '../../../tools/paths.ts';
import { machineTests, soakPasses, WITHOUT_MACHINES } from '../../../tools/test-passes.ts';

const files = readdirSync(join(rootDir, 'test/functional'));

describe('machineTests', () => {
  it('takes what it does not know', () => {
    expect(
      machineTests(['run-flags.test.ts', 'lab-cni.test.ts', 'image-fuzz.test.ts', 'new.test.ts']),
    ).toEqual(['run-flags.test.ts', 'new.test.ts']);
  });

  it.each(WITHOUT_MACHINES)('leaves out %s, which is there', (name) => {
    expect(files.filter((file) => new RegExp(`^(?:${name})\\.test\\.ts$`).test(file))).not.toEqual([]);
  });
});

describe('soakPasses', () => {
  const [all, saved, crashes] = soakPasses();
  const campaign = 'test/functional/crash-campaign.test.ts';

  it('begin with all tests', () => {
    expect(all).toMatchObject({ args: [], env: { RKT_TEST_SOAK: '1' } });
  });

  it('repeat those of machines, and the crash campaign at full size', () => {
    expect(saved?.args).toContain('test/functional/run-flags.test.ts');
    expect(saved?.args).not.toContain(campaign);
    expect(crashes?.args).toEqual(['--project=functional', campaign]);
    const env = { RKT_TEST_ROOTFS: 'block', RKT_TEST_TEMPLATES: 'on' };
    expect(saved).toMatchObject({ env });
    expect(crashes).toMatchObject({ env: { ...env, RKT_TEST_SOAK: '1' } });
  });
});
