import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { statisticsOfGroup, statisticsOfProcess } from '../../../src/supervisor/statistics.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

const scratch = nativeScratch();

function files(name: string, contents: Readonly<Record<string, string>>): string {
  const path = join(scratch, name);
  mkdirSync(path, { recursive: true });
  for (const [file, text] of Object.entries(contents)) writeFileSync(join(path, file), text);
  return path;
}

test('what this process has used', () => {
  const since = process.cpuUsage();
  while (process.cpuUsage(since).user < 50_000);
  const statistics = statisticsOfProcess('me', process.pid);
  expect(statistics).toMatchObject({ name: 'me', pid: process.pid });
  // Counted in hundredths of a second.
  expect(statistics?.cpuMicroseconds).toBeGreaterThanOrEqual(40_000);
  expect(statistics?.memoryBytes).toBeGreaterThan(10 * 1024 * 1024);
  expect(statistics?.memoryBytes).toBeLessThanOrEqual(process.memoryUsage.rss() * 2);
});

test('nothing of one that has gone', () => {
  expect(statisticsOfProcess('gone', 2 ** 22 + 1)).toBeUndefined();
});

test('a group of v1 is several directories, and tells no processor time', () => {
  const memory = files('memory', { 'memory.usage_in_bytes': '5\n', 'memory.max_usage_in_bytes': '7\n' });
  const pids = files('pids', { 'pids.current': '3\n' });
  const directories = [
    { controller: 'memory', path: memory },
    { controller: 'pids', path: pids },
  ] as const;
  expect(statisticsOfGroup({ kind: 'group', group: { directories } })).toEqual({
    ...{ cpuMicroseconds: null, memoryBytes: 5, memoryPeakBytes: 7, tasks: 3 },
  });
});

test('a group of v2 is one directory; what its controllers do not count is not known', () => {
  const whole = files('whole', {
    ...{ 'cpu.stat': 'usage_usec 12\nuser_usec 7\n', 'memory.current': '5\n', 'memory.peak': '7\n' },
    ...{ 'pids.current': '3\n' },
  });
  const bare = files('bare', { 'cpu.stat': 'usage_usec 12\n' });
  const of = (path: string) =>
    statisticsOfGroup({ kind: 'group', group: { directories: [{ controller: 'unified', path }] } });
  expect(of(whole)).toEqual({ cpuMicroseconds: 12, memoryBytes: 5, memoryPeakBytes: 7, tasks: 3 });
  expect(of(bare)).toEqual({ cpuMicroseconds: 12, memoryBytes: null, memoryPeakBytes: null, tasks: null });
});

test('a pod without a group has none to tell of', () => {
  expect(statisticsOfGroup({ kind: 'none', reason: 'no cgroup hierarchy is mounted' })).toBeNull();
});
