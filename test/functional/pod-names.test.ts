import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { detachedPod } from '../support/detached-pod.ts';
import { FLAVOURS } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { savedUuid, useRkt } from '../support/rkt.ts';

const rkt = useRkt();
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
});

const prepare = async (...args: string[]) => (await rkt.output(['prepare', ...args])).trimEnd();
const refusal = async (...args: string[]) => {
  const { code, stderr } = await rkt.run(args);
  expect(code).toBe(254);
  return stderr;
};

describe.each(FLAVOURS)('a name of a pod of $name', (flavour) => {
  test('stands wherever its UUID may, is its host name, and is free when the pod is gone', async () => {
    const script = 'hostname; trap "exit 4" TERM; while :; do sleep 0.1; done';
    const app = [image, '--name=app', '--exec=/bin/sh', '--', '-c', script];
    const uuid = await detachedPod(rkt, ['--pod-name=front', `--stage1-path=${flavour.image}`, ...app]);
    const told = await rkt.output(['status', 'front']);
    expect(told).toMatch(/^state=running$/m);
    expect(told).toMatch(/\nname=front\n$/);
    expect(JSON.parse(await rkt.output(['list', '--format=json']))).toMatchObject([
      { name: uuid, pod_name: 'front' },
    ]);
    const [legend, row] = (await rkt.output(['list'])).split('\n').map((line) => line.split(/\t+/));
    expect(legend?.slice(-2)).toEqual(['NETWORKS', 'NAME']);
    expect(row?.at(0)).toBe(uuid.slice(0, 8));
    expect(row?.at(-1)).toBe('front');
    expect(JSON.parse(await rkt.output(['cat-manifest', 'front']))).toMatchObject({
      apps: [{ name: 'app' }],
    });
    expect(await rkt.output(['enter', 'front', '/bin/hostname'])).toBe('front\n');
    const taken = `pod name "front" is taken by pod "${uuid}" `;
    expect(await refusal('prepare', '--pod-name=front', image)).toBe(`prepare: ${taken}(running)\n`);
    expect(await rkt.output(['stop', 'front'])).toBe(`"${uuid}"\n`);
    // It has ended, but is there.
    expect(await refusal('run', '--net=none', '--pod-name=front', image)).toBe(`run: ${taken}(exited)\n`);
    expect(await rkt.output(['rm', 'front'])).toBe(`"${uuid}"\n`);
    const next = await prepare('--pod-name=front', image);
    expect(next).not.toBe(uuid);
    expect(await rkt.output(['rm', 'front'])).toBe(`"${next}"\n`);
  });

  test('is kept by a prepared pod for its run; --hostname is stronger', async () => {
    const look = [image, `--stage1-path=${flavour.image}`, '--exec=/bin/hostname'];
    await prepare('--pod-name=one', ...look);
    expect(await rkt.output(['run-prepared', '--net=none', 'one'])).toBe('one\n');
    await prepare('--pod-name=two', ...look);
    expect(await rkt.output(['run-prepared', '--net=none', '--hostname=box', 'two'])).toBe('box\n');
    // For the next flavour, which has pods of the same names.
    await rkt.output(['rm', 'one', 'two']);
  });
});

test('of several who want a name at once one gets it, and the others are told who has', async () => {
  const racers = Array.from({ length: 4 }, () => rkt.run(['prepare', '--pod-name=wanted', image]));
  const ended = (await Promise.all(racers)).sort((a, b) => a.code - b.code);
  expect(ended.map(({ code }) => code)).toEqual([0, 254, 254, 254]);
  const winner = ended[0]?.stdout.trimEnd();
  for (const { stderr } of ended.slice(1))
    expect(stderr).toMatch(
      new RegExp(`^prepare: pod name "wanted" is taken by pod "${winner}" \\((preparing|prepared)\\)\n$`),
    );
  await rkt.output(['rm', 'wanted']);
});

test('a pod that never came to be keeps no name from others', async () => {
  const file = rkt.path('aborted');
  await refusal(
    ...[
      'run',
      '--net=none',
      '--pod-name=cut-short',
      `--uuid-file-save=${file}`,
      '--stage1-path=/none',
      image,
    ],
  );
  const aborted = savedUuid(file) ?? '';
  expect(existsSync(join(rkt.dir, 'pods/prepare', aborted, 'name'))).toBe(true);
  expect(await refusal('status', 'cut-short')).toBe('status: no matches found for "cut-short"\n');
  await prepare('--pod-name=cut-short', image);
  expect(await rkt.output(['status', 'cut-short'])).toMatch(/^state=prepared$/m);
});

test('what could be the beginning of a UUID, or is no name of a host, is no name', async () => {
  expect(await refusal('prepare', '--pod-name=bed-feed', image)).toBe(
    'prepare: --pod-name: "bed-feed" could be the beginning of a UUID\n',
  );
  for (const name of ['Web', 'a_b', '-x', '', 'x'.repeat(64)])
    expect(await refusal('prepare', `--pod-name=${name}`, image)).toContain(
      `prepare: --pod-name: "${name}" is no name of a pod`,
    );
});
