import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const heap = fileURLToPath(new URL('../../../src/os/heap.ts', import.meta.url));

/** Bytes that new objects have in a process after many have survived in it. */
function spaceOfNewObjects(before: string): number {
  const program = `
    import { getHeapSpaceStatistics } from 'node:v8';
    import { keepHeapSmall } from ${JSON.stringify(heap)};
    ${before}
    const kept = [];
    for (let count = 0; count < 2_000_000; count++) if (kept.push({ count }) > 200_000) kept.length = 0;
    console.log(getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space').space_size);`;
  const argv = ['--import', 'tsx', '--input-type=module', '-e', program];
  return Number(spawnSync(process.execPath, argv, { encoding: 'utf8' }).stdout);
}

test('the space for new objects does not grow', () => {
  const megabyte = 1024 * 1024;
  expect(spaceOfNewObjects('')).toBeGreaterThan(8 * megabyte);
  const small = spaceOfNewObjects('keepHeapSmall();');
  expect(small).toBeGreaterThan(0);
  // tsx has let it grow to some before it is told.
  expect(small).toBeLessThanOrEqual(4 * megabyte);
});
