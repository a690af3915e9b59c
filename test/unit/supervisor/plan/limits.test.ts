import { describe, expect, it } from 'vitest';
import { parseIsolator } from '../../../../src/appc/index.ts';
import { planLimits, planRlimits } from '../../../../src/supervisor/plan/limits.ts';
import { podLimits } from '../../../../src/supervisor/plan/pod-limits.ts';

const limit = (name: string, amount: string) =>
  parseIsolator({ name: `resource/${name}`, value: { limit: amount, default: /block|network/.test(name) } });
const own = (name: string, value: unknown) => parseIsolator({ name, value });

describe('limits of an app', () => {
  it('are none where nothing is said', () => {
    expect(planLimits([], [], false)).toEqual({
      ...{ memoryBytes: null, cpuMillis: null, cpuShares: null, processes: null, devices: null },
    });
    expect(planRlimits([])).toEqual([]);
  });

  it('are what its isolators say, parts of a processor included', () => {
    const isolators = [
      limit('memory', '64Mi'),
      limit('cpu', '1500m'),
      own('os/linux/cpu-shares', 512),
      own('coreos.com/rkt/pids-limit', 20),
    ];
    expect(planLimits(isolators, [], false)).toMatchObject({
      ...{ memoryBytes: 64 * 1024 * 1024, cpuMillis: 1500, cpuShares: 512, processes: 20 },
    });
  });

  it('are no more than its pod’s', () => {
    const isolators = [limit('memory', '64Mi'), limit('cpu', '2')];
    const ofPod = [limit('memory', '1Gi'), limit('cpu', '500m')];
    expect(planLimits(isolators, ofPod, false)).toMatchObject({ memoryBytes: 64 << 20, cpuMillis: 500 });
    expect(planLimits([], ofPod, false)).toMatchObject({ memoryBytes: null, cpuMillis: null });
  });

  it('are those of its processes, by their numbers', () => {
    const limits = { nofile: { soft: 10, hard: 'unlimited' }, core: { soft: 0, hard: 0 } };
    expect(planRlimits([own('coreos.com/rkt/rlimits', limits)])).toEqual([
      { resource: 4, soft: 0, hard: 0 },
      { resource: 7, soft: 10, hard: -1 },
    ]);
  });
});

describe('limits of a pod', () => {
  const one = { isolators: [limit('cpu', '500m'), limit('block-bandwidth', '1M')] };
  const two = { isolators: [limit('cpu', '2'), own('os/linux/cpu-shares', 512)] };
  const none = { isolators: [] };

  it('are the sum of what its apps may use, where all are bounded', () => {
    expect(podLimits(none, [one, two])).toEqual({ cpuMillis: 2500, cpuShares: 1024 + 512 });
    expect(podLimits(none, [one])).toEqual({ cpuMillis: 500, blockBytesPerSecond: 1_000_000 });
    expect(podLimits(none, [one, none])).toEqual({});
    expect(podLimits(none, [])).toEqual({});
  });

  it('are its own, if those are less', () => {
    const pod = { isolators: [limit('cpu', '1'), limit('network-bandwidth', '8M')] };
    expect(podLimits(pod, [one])).toMatchObject({ cpuMillis: 500, networkBytesPerSecond: 8_000_000 });
    expect(podLimits(pod, [one, two])).toMatchObject({ cpuMillis: 1000 });
    expect(podLimits(pod, [none])).toMatchObject({ cpuMillis: 1000 });
  });
});
