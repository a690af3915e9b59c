import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { VOLUMES_ANNOTATION } from '../../src/abi/volume-plan.ts';
import { artefacts } from '../../tools/paths.ts';
import { FLY, VARIANTS, type Variant } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { eventually } from '../support/polling.ts';
import { useRkt } from '../support/rkt.ts';
import { endPod, type RunningPod, startSandbox, useRunningPods } from '../support/running-pod.ts';

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
  // Lines end with zeros: a scratch disk is gigabytes of them, and would be one line.
  const grep = ['-rlszF', '--binary-files=text', '-e', SECRET, directory];
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
    const addWith = (name: string, flags: readonly string[], script: string, word = '') =>
      rkt.run(
        [
          ...['app', 'add', pod.uuid, 'example.com/tiny', `--name=${name}`],
          ...[...flags, '--exec=/bin/sh', '--', '-c', script],
        ],
        { env: { WORD: word } },
      );
    const add = (name: string, kind: string, script = 'true') =>
      addWith(name, [`--mnt-volume=name=v,kind=${kind},target=/v`], script);
    const runs = async (script: string) => {
      const before = pod.command.stdout.length;
      await rkt.output(['app', 'start', pod.uuid, '--app=own']);
      await eventually(script, () => pod.command.stdout.slice(before).includes('end-of-look'));
      await rkt.output(['app', 'stop', pod.uuid, '--app=own']);
      return pod.command.stdout.slice(before);
    };

    test('has memory and secrets of its own, until it goes', async () => {
      const flags = [
        '--user=1000',
        '--mnt-volume=name=memory,kind=tmpfs,size=1Mi,mode=0700,uid=1000,target=/memory',
        '--mnt-volume=name=word,kind=secret,env=WORD,target=/run/word',
        `--mnt-volume=name=file,kind=secret,source=${rkt.path('own')},mode=0444,uid=7,target=/run/file`,
      ];
      writeFileSync(rkt.path('own'), 'of a file');
      const script = [
        'stat -c "%a %u" /memory /run/word /run/file; tr a-z A-Z < /run/word; echo; cat /run/file; echo',
        'ls /memory; dd if=/dev/zero of=/memory/big bs=1M count=3 2>&1 | grep -o "No space"; echo end-of-look',
        'trap "exit 0" TERM; while :; do sleep 0.1; done',
      ].join('\n');
      const look = (word: string, left: string) =>
        `700 1000\n400 1000\n444 7\n${word}\nof a file\n${left}No space\nend-of-look\n`;
      const lines = (text: string) => text.replace(/^\[.*?\]: /gm, '').replaceAll('\r', '');
      expect(await addWith('own', flags, script, SECRET)).toMatchObject({ code: 0 });
      expect(lines(await runs('first'))).toBe(look(SECRET.toUpperCase(), ''));
      expect(lines(await runs('again'))).toBe(look(SECRET.toUpperCase(), 'big\n'));
      expect(holders(rkt.root)).toEqual([]);
      expect(processesThatTell()).toEqual([]);
      await rkt.output(['app', 'rm', pod.uuid, '--app=own']);
      expect(await addWith('own', flags, script, 'another')).toMatchObject({ code: 0 });
      expect(lines(await runs('another'))).toBe(look('ANOTHER', ''));
      await rkt.output(['app', 'rm', pod.uuid, '--app=own']);
      expect(await add('none', 'secret,env=NO_SUCH')).toMatchObject({
        code: 254,
        stderr: expect.stringContaining('volume "none.v": there is no variable NO_SUCH in the environment'),
      });
    });

    test('is refused secrets that are too much with those that are there', async () => {
      writeFileSync(rkt.path('large'), 'x'.repeat(600 * 1024));
      const large = `secret,source=${rkt.path('large')}`;
      expect(await add('large', large)).toMatchObject({ code: 0 });
      expect(await add('more', large)).toMatchObject({
        code: 254,
        stderr: expect.stringContaining(
          "volume more.v: secrets of the pod's apps would have 1228800 bytes together: 1048576 at most",
        ),
      });
      await rkt.output(['app', 'rm', pod.uuid, '--app=large']);
      expect(await add('more', large)).toMatchObject({ code: 0 });
      await rkt.output(['app', 'rm', pod.uuid, '--app=more']);
    });

    test('has named volumes, and no disk where the pod is a machine', async () => {
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
      if (!variant.ownKernel) return;
      expect(await add('two', 'empty,size=1Mi')).toMatchObject({
        code: 254,
        stderr: expect.stringContaining('cannot come to a machine that runs'),
      });
    });
  },
);

test('an app of a stage1 that knows no further kinds is refused them, too', async () => {
  const pod = await startSandbox(rkt, [`--stage1-path=${artefacts.stage1Ns}`]);
  const path = join(rkt.dir, 'pods/run', pod.uuid, 'stage1/manifest');
  const { annotations, ...manifest } = JSON.parse(readFileSync(path, 'utf8'));
  const fewer = annotations.filter(({ name }: { name: string }) => name !== VOLUMES_ANNOTATION);
  writeFileSync(path, JSON.stringify({ ...manifest, annotations: fewer }));
  const volume = '--mnt-volume=name=v,kind=tmpfs,target=/v';
  expect(await rkt.run(['app', 'add', pod.uuid, 'example.com/tiny', '--name=one', volume])).toMatchObject({
    code: 254,
    stderr: expect.stringContaining('volume one.v: coreos.com/rkt/stage1-ns knows no volumes of kind tmpfs'),
  });
  await endPod(pod);
});
