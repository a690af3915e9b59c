import { writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { detachedPod } from '../support/detached-pod.ts';
import { FLAVOURS } from '../support/flavours.ts';
import { GroupHost } from '../support/group-member.ts';
import { tinyImages } from '../support/images.ts';
import { eventually } from '../support/polling.ts';
import { useRkt } from '../support/rkt.ts';

const rkt = useRkt();
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
});

const shell = (script: string) => [image, '--exec=/bin/sh', '--', '-c', script];

describe.each(FLAVOURS)('wait for pods of $name', (flavour) => {
  const stage1 = `--stage1-path=${flavour.image}`;

  test('blocks until each has ended, and prints their codes in the order in which they were given', async () => {
    const slow = await detachedPod(rkt, [
      stage1,
      `--pod-name=slow-${flavour.name}`,
      ...shell('trap "exit 6" TERM; echo up; sleep 1000 & wait'),
    ]);
    await eventually('it is up', async () => (await rkt.output(['logs', slow])) === 'up\n');
    const quick = await detachedPod(rkt, [stage1, ...shell('exit 3')]);
    const waiting = rkt.start(['wait', `slow-${flavour.name}`, quick.slice(0, 13)]);
    expect(await rkt.output(['wait', quick])).toBe('3\n');
    expect(waiting.ended).toBe(false);
    await rkt.output(['stop', slow]);
    expect(await waiting.finished).toMatchObject({ code: 0, stdout: '6\n3\n', stderr: '' });
    const file = rkt.path('uuid');
    writeFileSync(file, `${quick}\n`);
    expect(await rkt.output(['wait', `--uuid-file=${file}`])).toBe('3\n');
  });

  test('waits for a prepared pod to be run, too', async () => {
    const uuid = (await rkt.output(['prepare', stage1, ...shell('exit 9')])).trimEnd();
    const waiting = rkt.start(['wait', uuid]);
    expect((await rkt.run(['run-prepared', '--net=none', uuid])).code).toBe(9);
    expect(await waiting.finished).toMatchObject({ code: 0, stdout: '9\n' });
  });

  test('says of a pod that was killed with its supervisor that its code is not known', async () => {
    const uuid = await detachedPod(rkt, [stage1, ...shell('sleep 1000')]);
    const pid = /^pid=(\d+)$/m.exec(await rkt.output(['status', uuid]))?.[1];
    const waiting = rkt.run(['wait', uuid]);
    process.kill(Number(pid), 'SIGKILL');
    expect(await waiting).toMatchObject({
      code: 254,
      stdout: 'unknown\n',
      stderr:
        `wait: pod "${uuid}" was killed with its supervisor, or has not run\n` +
        'wait: the exit code of one or more pods is not known\n',
    });
  });
});

describe('a member of the group rkt', () => {
  const home = useRkt();

  test('may wait, too', async () => {
    const host = new GroupHost(home);
    const uuid = (await host.root(['prepare', ...shell('exit 8')])).stdout.trimEnd();
    const waiting = host.member(['wait', uuid], { timeoutSeconds: 300 });
    expect((await host.root(['run-prepared', '--net=none', uuid])).code).toBe(8);
    expect(await waiting).toMatchObject({ code: 0, stdout: '8\n' });
  });
});

test('a pod that could not be started has the code of that failure', async () => {
  const env = { RKT_HYPERVISOR_ACCEL: 'none' };
  expect((await rkt.run(['run', '--net=none', '--pod-name=unborn', image], { env })).code).toBe(254);
  expect(await rkt.output(['wait', 'unborn'])).toBe('254\n');
});

test('refuses what is no pod, and the others have their lines', async () => {
  const absent = await rkt.run(['wait', 'nobody']);
  expect(absent).toMatchObject({ code: 254, stdout: '' });
  expect(absent.stderr).toContain('wait: no matches found for "nobody"\n');
  expect(await rkt.run(['wait'])).toMatchObject({ code: 254, stderr: 'wait: no UUID given\n' });
});
