import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { FLY, VARIANTS, type Variant } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { eventually } from '../support/polling.ts';
import { useRkt } from '../support/rkt.ts';
import { type RunningPod, startSandbox, useRunningPods } from '../support/running-pod.ts';

// A secret is in memory, and in the one file that its app has.

const rkt = useRkt();
const pods = useRunningPods();
/** In two parts here, so that the test's own processes are not found. */
const SECRET = ['nobody-else', 'knows-this'].join('-');
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
  await rkt.output(['fetch', image]);
});

/** Files below a directory that hold the secret. */
function holders(directory: string): string[] {
  const grep = ['-rlsF', '--binary-files=text', '-e', SECRET, directory];
  const { status, stdout } = spawnSync('grep', grep, { encoding: 'utf8' });
  expect([0, 1]).toContain(status);
  return stdout
    .trim()
    .split('\n')
    .filter((path) => path !== '');
}

/** What other processes may see of those of the pod, and what they have been given. */
function processesThatTell(): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .flatMap((pid) => ['cmdline', 'environ'].map((file) => `/proc/${pid}/${file}`))
    .filter((path) => {
      try {
        return readFileSync(path, 'latin1').includes(SECRET);
      } catch {
        return false;
      }
    });
}

describe.each<Variant>([...VARIANTS, { ...FLY, flags: [] }])('$name', (variant) => {
  test('a secret is in no file of the host, no list of processes, and nothing that rkt prints', async () => {
    const volume = '--volume=word,kind=secret,env=WORD';
    const flags = [`--stage1-path=${variant.image}`, ...variant.flags, volume, '--inherit-env'];
    const script = 'cat /run/word | tr a-z A-Z; trap "exit 0" TERM; while :; do sleep 0.1; done';
    const app = [image, '--mount=volume=word,target=/run/word', '--exec=/bin/sh', '--', '-c', script];
    const env = { WORD: SECRET };
    const uuid = (await rkt.output(['run', '--net=none', '--detach', ...flags, ...app], { env })).trimEnd();
    await eventually('the app has read it', async () =>
      (await rkt.output(['logs', uuid])).includes(SECRET.toUpperCase()),
    );
    expect(holders(rkt.root)).toEqual([]);
    expect(processesThatTell()).toEqual([]);
    for (const command of ['inspect', 'cat-manifest', 'status'])
      expect(await rkt.output([command, uuid])).not.toContain(SECRET);
    await rkt.output(['stop', uuid]);
    const exported = rkt.path(`${variant.name}.aci`);
    await rkt.output(['export', uuid, exported]);
    expect(execFileSync('zcat', [exported], { maxBuffer: 2 ** 30 }).includes(SECRET)).toBe(false);
    expect(holders(rkt.root)).toEqual([]);
    await rkt.output(['rm', uuid]);
  });
});

describe.each(VARIANTS.filter(({ mutablePods }) => mutablePods))(
  'an app that comes to a pod of $name',
  (variant) => {
    let pod: RunningPod;
    beforeAll(async () => {
      pod = await startSandbox(rkt, [`--stage1-path=${variant.image}`, ...variant.flags]);
      pods.push(pod);
    });
    const add = (name: string, kind: string, script = 'true') =>
      rkt.run([
        ...['app', 'add', pod.uuid, 'example.com/tiny', `--name=${name}`],
        ...[`--mnt-volume=name=v,kind=${kind},target=/v`, '--exec=/bin/sh', '--', '-c', script],
      ]);

    test('has named volumes, and is refused what the pod has to begin with', async () => {
      const volume = `late-${variant.name}`;
      expect(await add('one', `named,source=${volume},subPath=sub`, 'echo late > /v/file')).toMatchObject({
        code: 0,
      });
      await rkt.output(['app', 'start', pod.uuid, '--app=one']);
      const [{ path }] = JSON.parse(await rkt.output(['volume', 'inspect', volume]));
      await eventually('it has written', () => existsSync(join(path, 'sub/file')));
      expect((await rkt.run(['volume', 'rm', volume])).stderr).toContain(`"${pod.uuid}" (running)`);
      await eventually('it has ended', async () =>
        (await rkt.output(['app', 'list', '--no-legend', pod.uuid])).includes('exited'),
      );
      await rkt.output(['app', 'rm', pod.uuid, '--app=one']);
      // Nobody has it any more.
      expect(await rkt.output(['volume', 'rm', volume])).toBe(`${volume}\n`);
      const refused = ['tmpfs', `secret,source=${rkt.path('word')}`];
      writeFileSync(rkt.path('word'), 'x');
      for (const kind of refused)
        expect(await add('two', kind)).toMatchObject({
          code: 254,
          stderr: expect.stringContaining('cannot come to a pod that runs'),
        });
    });
  },
);
