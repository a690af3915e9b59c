import { expect, it } from 'vitest';
import { WarningLimit } from '../../../src/supervisor/warning-limit.ts';

it('shows the first warnings of a pod, each cut to a length, and says when it stops', () => {
  const limit = new WarningLimit();
  expect(limit.take(`\x1b[2J${'x'.repeat(10_000)}`)).toEqual([`[2J${'x'.repeat(497)}`]);
  const lines = Array.from({ length: 10_000 }, (_, n) => limit.take(`warning ${n}`)).flat();
  expect(lines).toHaveLength(200);
  expect(lines.slice(-2)).toEqual(['warning 198', 'after 200 warnings no more are shown']);
});
