import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { STREAM_WINDOW } from '../../src/abi/frames.ts';
import { guestSuite } from './guest-suite.ts';
import { appPlan, bootPlan, pipes, shell } from './pod-fixture.ts';

const suite = guestSuite();
const MEGABYTE = 1024 * 1024;
const sum = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds));

test('10 MB on stdout and 10 MB on stderr arrive whole and apart', async () => {
  const [out, err] = [randomBytes(10 * MEGABYTE), randomBytes(10 * MEGABYTE)];
  const root = suite.root();
  writeFileSync(join(root, 'out'), out);
  writeFileSync(join(root, 'err'), err);
  await using host = suite.start();
  await host.boot(bootPlan([appPlan('app', root, shell('cat /out & cat /err >&2; wait'))]));
  expect(sum(await host.streams.whole(11))).toBe(sum(out));
  expect(sum(await host.streams.whole(12))).toBe(sum(err));
  await host.finish();
});

test('stdin arrives whole, and its end too', async () => {
  const typed = randomBytes(3 * MEGABYTE);
  await using host = suite.start();
  const app = appPlan('app', suite.root(), shell('sha256sum'), { streams: pipes(1, true) });
  await host.boot(bootPlan([app]));
  host.streams.write(10, typed);
  host.streams.end(10);
  expect((await host.streams.whole(11)).toString()).toBe(`${sum(typed)}  -\n`);
  await host.finish();
});

test('without a stdin stream an app reads the end at once', async () => {
  await using host = suite.start();
  await host.boot(bootPlan([appPlan('app', suite.root(), shell('cat; echo done; ls -l /proc/self/fd/0'))]));
  expect((await host.streams.whole(11)).toString()).toMatch(/^done\n.*\/dev\/null\n$/);
  await host.finish();
});

test('an app that never reads makes its own stdin wait, and nothing else', async () => {
  await using host = suite.start();
  const script = 'for i in 1 2 3 4 5 6 7 8 9; do echo tick $i; sleep 0.05; done; sleep 1000';
  const app = appPlan('app', suite.root(), shell(script), { streams: pipes(1, true) });
  await host.boot(bootPlan([app]));
  host.streams.write(10, Buffer.alloc(4 * MEGABYTE));
  await host.streams.text(11, 'tick 9');
  expect(host.streams.unsent(10)).toBeGreaterThan(0);
  host.send({ type: 'stop' });
  await host.finish();
});

test('an app that has closed its stdin lets the host go on', async () => {
  await using host = suite.start();
  const script = 'exec 0<&-; echo closed; sleep 0.5';
  const app = appPlan('app', suite.root(), shell(script), { streams: pipes(1, true) });
  await host.boot(bootPlan([app]));
  await host.streams.text(11, 'closed');
  host.streams.write(10, Buffer.alloc(2 * MEGABYTE));
  await host.streams.until(() => host.streams.unsent(10) === 0);
  host.streams.end(10);
  await host.finish();
});

test('a stalled reader stalls its own stream only', async () => {
  await using host = suite.start();
  const flood = appPlan('flood', suite.root('flood'), shell('head -c 3000000 /dev/zero'), {
    streams: pipes(1),
  });
  const other = appPlan('other', suite.root('other'), shell('head -c 3000000 /dev/zero; kill -9 $$'), {
    streams: pipes(2),
  });
  host.streams.stall(11);
  await host.boot(bootPlan([flood, { ...other, process: shell('head -c 3000000 /dev/zero') }]));
  expect((await host.streams.whole(21)).length).toBe(3_000_000);
  expect(await host.exitOf('other')).toBe(0);
  await host.streams.until(() => host.streams.bytesOf(11) >= STREAM_WINDOW);
  await pause(100);
  expect(host.streams.bytesOf(11)).toBe(STREAM_WINDOW);
  host.streams.resume(11);
  expect((await host.streams.whole(11)).length).toBe(3_000_000);
  await host.finish();
});

test('control is not held up by output that nobody reads', async () => {
  await using host = suite.start();
  const app = appPlan('app', suite.root(), shell('yes'));
  host.streams.stall(11);
  await host.boot(bootPlan([app]));
  await host.streams.until(() => host.streams.bytesOf(11) === STREAM_WINDOW);
  host.send({ type: 'signal', target: 'app', signal: 9 });
  expect(await host.exitOf('app')).toBe(137);
  host.streams.resume(11);
  await host.finish();
});

test('the last words of an app that is gone are not lost', async () => {
  // More than the window, and no more than that and what PID 1 and the pipe hold: the app ends while nobody reads.
  const length = STREAM_WINDOW + 150_000;
  await using host = suite.start();
  host.streams.stall(11);
  await host.boot(
    bootPlan([appPlan('app', suite.root(), shell(`head -c ${length} /dev/zero | tr "\\0" x; echo end`))]),
  );
  await host.streams.until(() => host.streams.bytesOf(11) === STREAM_WINDOW);
  host.streams.resume(11);
  const text = (await host.streams.whole(11)).toString();
  expect(text === `${'x'.repeat(length)}end\n`).toBe(true);
  await host.finish();
});

test('a background process that holds the output does not hold the pod', async () => {
  await using host = suite.start();
  await host.boot(
    bootPlan([appPlan('app', suite.root(), shell('(sleep 1000; echo never) & echo done; exit 0'))]),
  );
  expect(await host.exitOf('app')).toBe(0);
  expect((await host.streams.whole(11)).toString()).toBe('done\n');
  await host.finish();
});

test('a user who is not root may open his own streams by name', async () => {
  await using host = suite.start();
  const process = shell('echo out > /dev/stdout; echo err > /dev/stderr; cat /dev/stdin', {
    uid: 1000,
    gid: 1000,
  });
  const app = appPlan('app', suite.root(), process, { streams: pipes(1, true) });
  await host.boot(bootPlan([app]));
  host.streams.write(10, 'in\n');
  host.streams.end(10);
  expect((await host.streams.whole(11)).toString()).toBe('out\nin\n');
  expect((await host.streams.whole(12)).toString()).toBe('err\n');
  await host.finish();
});
