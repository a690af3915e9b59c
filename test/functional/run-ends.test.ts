import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { tinyImages } from '../support/images.ts';
import { eventually } from '../support/polling.ts';
import { useRkt } from '../support/rkt.ts';

const rkt = useRkt();
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
});

function shell(script: string): string[] {
  return ['run', '--net=none', image, '--exec=/bin/sh', '--', '-c', script];
}

describe('how a pod ends', () => {
  test('with its app, whatever the app has left in the background', async () => {
    const { code, stdout } = await rkt.run(shell('sleep 100000 & echo done'));
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'done\n' });
  });

  test('with all of its output, however late it is read', async () => {
    const lines = Array.from({ length: 200_000 }, (_, index) => `${index + 1}\n`).join('');
    const reader = ['/bin/sh', '-c', '"$@" | (sleep 3; sha256sum)', 'sh', ...rkt.argv(shell('seq 1 200000'))];
    const { stdout } = await rkt.startArgv(reader).finished;
    expect(stdout).toBe(`${createHash('sha256').update(lines).digest('hex')}  -\n`);
  });

  test('with its app, when nobody reads what that writes any more', async () => {
    const reader = [
      '/bin/sh',
      '-c',
      '{ "$@"; echo "$?" >&3; } 3>&2 | head -n 1',
      'sh',
      ...rkt.argv(shell('yes')),
    ];
    const { stdout, stderr } = await rkt.startArgv(reader).finished;
    expect(stdout).toBe('y\n');
    expect(stderr).toMatch(/^141$/m);
  });

  test('at once when asked a second time, though its app does not listen', async () => {
    const command = rkt.start(shell("trap '' TERM; echo up; while :; do sleep 1; done"));
    await eventually('the app is up', () => command.stdout.includes('up'));
    command.signal('SIGTERM');
    await sleep(100);
    command.signal('SIGTERM');
    expect((await command.finished).code).toBeGreaterThanOrEqual(128);
  });

  test('with the last words of a guest that crashes', async () => {
    const crash = shell('echo c > /proc/sysrq-trigger; sleep 100');
    const { code, stderr } = await rkt.run(['--insecure-options=all', ...crash]);
    expect(code).toBe(254);
    expect(stderr).toMatch(/^run: the guest crashed$/m);
    expect(stderr).toMatch(/^run: console: .*(sysrq|Kernel)/m);
  });
});

describe('the data directory', () => {
  test('may have any name, and a long one', async () => {
    const dir = join(rkt.root, 'a b,c:d\\e=f', 'x'.repeat(120), 'y'.repeat(120));
    mkdirSync(dir, { recursive: true });
    const { code, stdout } = await rkt.run([`--dir=${dir}`, 'run', '--net=none', image]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'hello from the image\n' });
    await rkt.output([`--dir=${dir}`, 'gc', '--grace-period=0s']);
  });

  test('takes several first pods at once, while their leftovers are collected', async () => {
    const dir = `--dir=${join(rkt.root, 'fresh')}`;
    const pods = Array.from({ length: 3 }, () => rkt.run([dir, 'run', '--net=none', image]));
    const collected = rkt.run([dir, 'gc', '--grace-period=0s']);
    expect((await Promise.all(pods)).map(({ stdout }) => stdout)).toEqual(
      Array(3).fill('hello from the image\n'),
    );
    expect((await collected).code).toBe(0);
    await rkt.output([dir, 'gc', '--grace-period=0s']);
    expect(await rkt.output([dir, 'list', '--no-legend'])).toBe('\n');
  });
});
