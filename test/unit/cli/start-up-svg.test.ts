import { expect, it } from 'vitest';
import { podUUIDFromOctets } from '../../../src/appc/index.ts';
import { escaped, startUpSvg } from '../../../src/cli/start-up-svg.ts';
import type { Span } from '../../../src/stage0/analyze.ts';

const uuid = podUUIDFromOctets(new Uint8Array(16));
const spans: readonly Span[] = [
  { name: 'command', start: 0n, duration: 100_000_000n },
  { name: 'wait', start: 100_000_000n, duration: 3_600_000_000_000n },
  { name: 'vm', start: 3_600_100_000_000n, duration: 300_000_000n },
];

/** The bars' `x` and `width`, in order. */
function bars(svg: string): number[][] {
  return [...svg.matchAll(/<rect x="([\d.]+)" y="\d+" width="([\d.]+)"/g)].map(([, x, width]) => [
    Number(x),
    Number(width),
  ]);
}

it('draws work to scale, and a wait of whatever length in a little room', () => {
  const svg = startUpSvg({ uuid, spans, work: 400_000_000n, isReady: true });
  const [command = [], wait = [], vm = []] = bars(svg);
  expect(vm[1]).toBeCloseTo(3 * (command[1] ?? 0), 1);
  expect(wait[0]).toBeCloseTo((command[0] ?? 0) + (command[1] ?? 0), 1);
  expect(vm[0]).toBeCloseTo((wait[0] ?? 0) + (wait[1] ?? 0), 1);
  expect((wait[1] ?? 0) < (command[1] ?? 0)).toBe(true);
  expect((vm[0] ?? 0) + (vm[1] ?? 0)).toBeLessThanOrEqual(150 + 640 + 0.1);
});

it('escapes what would be markup, and leaves out what XML cannot hold', () => {
  const app = `<script>"a" & 'b'</script>`;
  const svg = startUpSvg({
    uuid,
    spans: [{ name: 'app', app, start: 0n, duration: 1n }],
    work: 1n,
    isReady: true,
  });
  expect(svg).not.toContain('<script');
  expect(svg).toContain('&lt;script&gt;&quot;a&quot; &amp; &apos;b&apos;&lt;/script&gt;');
  expect(escaped('a\u0000b\u001bc\uffffd\ud800')).toBe('a\ufffdb\ufffdc\ufffdd\ufffd');
});

it('draws a start that took no time at all', () => {
  const svg = startUpSvg({
    uuid,
    spans: [{ name: 'command', start: 0n, duration: 0n }],
    work: 0n,
    isReady: false,
  });
  expect(svg).not.toMatch(/NaN|Infinity/);
});
