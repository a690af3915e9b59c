import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { FLAVOURS } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { eventually } from '../support/polling.ts';
import { savedUuid, useRkt } from '../support/rkt.ts';
import { startPod, useRunningPods } from '../support/running-pod.ts';

const rkt = useRkt();
const pods = useRunningPods();
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
});

const LOOP = "trap 'exit 4' TERM; echo up; while :; do sleep 0.1; done";

interface Health {
  readonly status: string;
  readonly failures: number;
  readonly checked_at: number;
}

describe.each(FLAVOURS)('$name', ({ image: stage1, ownKernel }) => {
  const start = async (...words: readonly string[]) => {
    const pod = await startPod(rkt, [`--stage1-path=${stage1}`, image, '--name=app', ...words]);
    pods.push(pod);
    return pod;
  };
  const loop = async (...flags: readonly string[]) => {
    const pod = await start(...flags, '--exec=/bin/sh', '--', '-c', LOOP);
    await eventually('the app is up', () => pod.command.stdout === 'up\n');
    return pod;
  };
  const pause = (uuid: string) => rkt.output(['pause', uuid]);
  const resume = (uuid: string) => rkt.output(['resume', uuid]);
  /** The guest's wall clock, and how far that is ahead of the clock that has stood still with it. */
  const clocks = async (uuid: string) => {
    // Both within one second.
    const script =
      'until date=$(date +%s); up=$(cat /proc/uptime); [ "$date" = "$(date +%s)" ]; do :; done; echo "$date"; echo "$up"';
    const text = await rkt.output(['enter', uuid, '/bin/sh', '-c', script]);
    const [now = 0, up = 0] = text.split('\n').map((line) => Number(line.split(' ')[0]));
    return { now, ahead: now - up };
  };

  test('a paused pod stands still, is shown so, and goes on with the right time', async () => {
    const { uuid } = await loop();
    const before = await clocks(uuid);
    expect(await pause(uuid.slice(0, 8))).toBe(`"${uuid}"\n`);
    const since = Date.now();
    expect(await rkt.output(['status', uuid])).toMatch(/^state=running$[\s\S]*^paused=true$/m);
    const listed = (await rkt.list()).filter(({ name }) => name === uuid);
    expect(listed).toMatchObject([{ state: 'running', paused: true }]);
    expect(await rkt.output(['list'])).toMatch(/^UUID.*\tNETWORKS\tPAUSED$[\s\S]*\tyes$/m);
    expect(await rkt.output(['stats', '--interval=100ms'])).toContain('\t(paused)\t');
    // It is paused already, and stays so.
    expect(await pause(uuid)).toBe(`"${uuid}"\n`);
    await sleep(2000 - (Date.now() - since));
    const resumed = Date.now();
    expect(await resume(uuid)).toBe(`"${uuid}"\n`);
    expect(await resume(uuid)).toBe(`"${uuid}"\n`);
    const after = await clocks(uuid);
    // To a second, as `date` tells it. A kernel that is the host's as well goes on.
    const stood = ownKernel ? (resumed - since) / 1000 : 0;
    expect(after.ahead - before.ahead).toBeGreaterThanOrEqual(stood - 1);
    expect(after.now).toBeGreaterThanOrEqual(Math.floor(resumed / 1000) - 1);
    expect(await rkt.output(['status', uuid])).not.toContain('paused');
    expect(await rkt.output(['list'])).not.toContain('PAUSED');
  });

  test('its apps do nothing meanwhile, and what they then do goes on', async () => {
    const count = 'n=0; while true; do echo $((n = n + 1)); sleep 0.05; done';
    const { uuid, command } = await start('--exec=/bin/sh', '--', '-c', count);
    const counted = () => command.stdout.trim().split('\n').map(Number);
    await eventually('it counts', () => counted().length > 3);
    await pause(uuid);
    // What it has written by then may be on its way.
    const before = await eventually('it stands still', async () => {
      const sofar = counted();
      await sleep(1000);
      return counted().length === sofar.length && sofar;
    });
    await resume(uuid);
    await eventually('it counts on', () => counted().length > before.length + 3);
    expect(counted()).toEqual(counted().map((_, index) => index + 1));
  });

  test('a paused pod is not entered; it is stopped in order, or at once', async () => {
    const orderly = await loop();
    const forced = await loop();
    const { code, stdout, stderr } = await rkt.run(['pause', orderly.uuid, 'ffff-none', forced.uuid]);
    expect({ code, stdout }).toEqual({ code: 254, stdout: `"${orderly.uuid}"\n"${forced.uuid}"\n` });
    expect(stderr).toBe('pause: no matches found for "ffff-none"\npause: failed to pause one or more pods\n');
    expect(await rkt.run(['enter', orderly.uuid, '/bin/true'])).toMatchObject({
      code: 254,
      stderr: 'enter: the pod is paused\n',
    });
    expect(await rkt.output(['stop', orderly.uuid])).toBe(`"${orderly.uuid}"\n`);
    expect((await orderly.command.finished).code).toBe(4);
    expect(await rkt.output(['stop', '--force', forced.uuid])).toBe(`"${forced.uuid}"\n`);
    expect((await forced.command.finished).code).toBe(137);
    for (const verb of ['pause', 'resume'])
      expect(await rkt.run([verb, forced.uuid])).toMatchObject({
        code: 254,
        stdout: '',
        stderr:
          `${verb}: pod "${forced.uuid}" isn't currently running\n` +
          `${verb}: failed to ${verb} one or more pods\n`,
      });
    expect(await rkt.output(['status', forced.uuid])).not.toContain('paused');
  });

  test('what it reads and writes when it is paused goes on', async () => {
    const script =
      'dd if=/dev/urandom of=/big bs=1M count=16 2>/dev/null; md5sum < /big; while :; do dd if=/big of=/copy bs=64k 2>/dev/null; md5sum < /copy; done';
    const { uuid, command } = await start('--exec=/bin/sh', '--', '-c', script);
    const sums = () => command.stdout.split('\n').slice(0, -1);
    for (let round = 1; round <= 3; round++) {
      const count = sums().length;
      await eventually('it has copied once more', () => sums().length > count);
      await pause(uuid);
      await resume(uuid);
    }
    const count = sums().length;
    await eventually('it has copied two times more', () => sums().length > count + 1);
    expect(new Set(sums()).size).toBe(1);
  });

  test('health checks stand still, and no pause makes one fail', async () => {
    const { uuid } = await loop(
      ...[
        '--health-cmd=/bin/sleep 0.3',
        '--health-interval=100ms',
        '--health-timeout=6s',
        '--health-retries=1',
      ],
    );
    const health = async () => {
      const [pod] = JSON.parse(await rkt.output(['inspect', uuid]));
      return pod?.apps[0]?.health as Health | undefined;
    };
    await eventually('it is healthy', async () => (await health())?.status === 'healthy');
    await pause(uuid);
    // The end of a check may have been told by then, and not been noted.
    const paused = await eventually('it stands still', async () => {
      const before = await health();
      return isDeepStrictEqual(await health(), before) && before;
    });
    // Longer than the timeout of the check that is under way most of the time.
    await sleep(6500);
    expect(await health()).toEqual(paused);
    await resume(uuid);
    const later = await eventually('it is checked again', async () => {
      const now = await health();
      return now !== undefined && now.checked_at > paused.checked_at ? now : undefined;
    });
    expect(later).toMatchObject({ status: 'healthy', failures: 0 });
  });

  // Where there is no kernel to boot, that is over before one can look.
  test.runIf(ownKernel)('one that is only starting is not paused', async () => {
    const file = rkt.path('starting');
    const words = [`--stage1-path=${stage1}`, '--net=none', `--uuid-file-save=${file}`, image];
    const command = rkt.start(['run', ...words, '--exec=/bin/sh', '--', '-c', LOOP]);
    const uuid = await eventually('the pod has a UUID', () => savedUuid(file));
    const machine = await eventually('its machine is there', () =>
      rkt.scope.processes().find(({ name, argv }) => name.startsWith('qemu') && argv.includes(uuid)),
    );
    // It does not come to run before all has been asked.
    process.kill(machine.pid, 'SIGSTOP');
    await eventually('its supervisor listens', () => existsSync(join(rkt.dir, 'pods/run', uuid, 'ctl')));
    const { code, stderr } = await rkt.run(['pause', uuid]);
    expect({ code, stderr }).toEqual({
      code: 254,
      stderr: 'pause: the pod is still starting\npause: failed to pause one or more pods\n',
    });
    // Nor is that a fault of its guest's that it tells nothing yet.
    const stats = await rkt.run(['stats', '--interval=100ms', uuid]);
    expect({ code: stats.code, stderr: stats.stderr }).toEqual({ code: 0, stderr: '' });
    expect(stats.stdout).toMatch(/\t\((starting|overhead)\)\t/);
    command.signal('SIGTERM');
    await command.finished;
  });

  test('--uuid-file names the pod', async () => {
    const { uuid } = await loop();
    const file = rkt.path('pause-uuid');
    writeFileSync(file, `${uuid}\n`);
    expect(await rkt.output(['pause', `--uuid-file=${file}`])).toBe(`"${uuid}"\n`);
    expect(await rkt.output(['status', uuid])).toContain('paused=true');
    expect(await rkt.output(['resume', `--uuid-file=${file}`])).toBe(`"${uuid}"\n`);
    expect(await rkt.output(['status', uuid])).not.toContain('paused=true');
  });
});
