import { expect, test } from 'vitest';
import type { AppStatistics } from '../../../src/abi/statistics.ts';
import { parsePodUUID } from '../../../src/appc/uuid.ts';
import type { PodSample } from '../../../src/stage0/stats.ts';
import { usageOf } from '../../../src/stage0/usage.ts';

const SECOND = 1_000_000;
const MIB = 1024 * 1024;

const app = (name: string, cpuMicroseconds: number | null, memoryBytes: number | null): AppStatistics => ({
  ...{ name, cpuMicroseconds, memoryBytes, memoryPeakBytes: null, tasks: 1 },
  ...{ readBytes: null, writtenBytes: null, bytesOf: 'calls' },
});

function sample(at: number, cpu: number, apps: readonly AppStatistics[], answered = true): PodSample {
  return {
    uuid: parsePodUUID('dd9ef8d2-ffa1-40b7-88b0-e46062b91d19'),
    podName: undefined,
    at,
    phase: 'running',
    guest: answered
      ? { uptimeMilliseconds: at, memoryBytes: 512 * MIB, memoryAvailableBytes: 400 * MIB, interfaces: [] }
      : null,
    processes: [
      { name: 'supervisor', pid: 1, cpuMicroseconds: cpu / 4, memoryBytes: 2 * MIB },
      { name: 'qemu', pid: 2, cpuMicroseconds: (cpu / 4) * 3, memoryBytes: 98 * MIB },
    ],
    appsBeside: false,
    group: null,
    apps,
  };
}

test('use of processors is what came between two samples; the overhead is what no app has used', () => {
  const before = sample(1000, 4 * SECOND, [app('a', 2 * SECOND, MIB), app('b', SECOND, MIB)]);
  const after = sample(3000, 6 * SECOND, [app('a', 3 * SECOND, 30 * MIB), app('b', 1.2 * SECOND, 10 * MIB)]);
  const { apps, total, overhead } = usageOf(before, after);
  expect(apps.map(({ name, cpuPercent }) => [name, cpuPercent])).toEqual([
    ['a', 50],
    ['b', 10],
  ]);
  expect(total).toEqual({ cpuPercent: 100, cpuMicroseconds: 6 * SECOND, memoryBytes: 100 * MIB });
  expect(overhead).toEqual({ cpuPercent: 40, cpuMicroseconds: 1.8 * SECOND, memoryBytes: 60 * MIB });
});

test('where apps are processes of the host, the overhead is what the others use', () => {
  const beside = (at: number, cpu: number, apps: readonly AppStatistics[]): PodSample => ({
    ...sample(at, cpu, apps),
    appsBeside: true,
  });
  const before = beside(1000, SECOND, [app('a', 2 * SECOND, MIB)]);
  const { total, overhead } = usageOf(before, beside(3000, 2 * SECOND, [app('a', 3 * SECOND, 30 * MIB)]));
  expect(total).toEqual({ cpuPercent: 100, cpuMicroseconds: 5 * SECOND, memoryBytes: 130 * MIB });
  expect(overhead).toEqual({ cpuPercent: 50, cpuMicroseconds: 2 * SECOND, memoryBytes: 100 * MIB });
  const unknown = usageOf(before, beside(3000, 2 * SECOND, [app('a', null, null)]));
  expect(unknown.total.memoryBytes).toBeNull();
});

test('of the first sample, and of an app that is new, it is not known', () => {
  const first = sample(1000, SECOND, [app('a', SECOND, MIB)]);
  expect(usageOf(undefined, first).apps[0]?.cpuPercent).toBeNull();
  expect(usageOf(undefined, first).overhead.cpuPercent).toBeNull();
  const second = sample(2000, SECOND, [app('a', SECOND, MIB), app('b', 5, MIB)]);
  expect(usageOf(first, second).apps.map(({ cpuPercent }) => cpuPercent)).toEqual([0, null]);
});

test('an app that was removed and added anew has not used less than nothing', () => {
  const before = sample(1000, SECOND, [app('a', SECOND, MIB)]);
  expect(usageOf(before, sample(2000, SECOND, [app('a', 10, MIB)])).apps[0]?.cpuPercent).toBeNull();
});

test('nor is there less than no overhead: a guest counts by its own clock', () => {
  const before = sample(1000, SECOND, [app('a', SECOND, MIB)]);
  const { overhead } = usageOf(before, sample(2000, 1.5 * SECOND, [app('a', 2 * SECOND, 200 * MIB)]));
  expect(overhead).toEqual({ cpuPercent: 0, cpuMicroseconds: 0, memoryBytes: 0 });
});

test('what a guest does not tell is taken for no number', () => {
  const before = sample(1000, SECOND, [app('a', null, null)]);
  expect(usageOf(before, sample(2000, 2 * SECOND, [app('a', null, null)]))).toMatchObject({
    apps: [{ cpuPercent: null }],
    total: { cpuPercent: 100 },
    overhead: { cpuPercent: null, cpuMicroseconds: null, memoryBytes: null },
  });
  expect(usageOf(before, sample(2000, 2 * SECOND, [], false)).overhead).toEqual({
    cpuPercent: null,
    cpuMicroseconds: null,
    memoryBytes: null,
  });
});
