import { createHash } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { GroupHost } from '../support/group-member.ts';
import { aciOf } from '../support/image-files.ts';
import { type TinyImages, tinyImages } from '../support/images.ts';
import { useRkt } from '../support/rkt.ts';
import * as tar from '../support/tar-archive.ts';
import { tool } from '../support/tool.ts';

// The group `rkt`: its members deal with images without being root, and never become root by it.

const rkt = useRkt();
const host = new GroupHost(rkt);
let images: TinyImages;
beforeAll(async () => {
  images = await tinyImages();
  // Where users can read them.
  cpSync(images.aci.gzip, rkt.path('tiny.aci'));
  cpSync(images.ociLayout, rkt.path('oci'), { recursive: true });
  await tool('chmod', ['-R', 'a+rX', rkt.path('oci')]);
  expect(await host.root(['fetch', rkt.path('tiny.aci')])).toMatchObject({ code: 0 });
  expect(await host.root(['image', 'rm', 'example.com/tiny'])).toMatchObject({ code: 0 });
});

/** What an image is made of, of its record. */
const contentOf = ({ manifest, contents, layers }: Record<string, unknown>) => ({
  manifest,
  contents,
  layers,
});
const cas = (...names: string[]) => join(rkt.dir, 'cas', ...names);

test('the directories of the store are for root, or for the group', () => {
  const modes = readdirSync(cas()).map((name) => {
    const { mode, uid, gid } = statSync(cas(name));
    return [name, (mode & 0o7777).toString(8), uid, gid];
  });
  const shared = ['2770', 0, host.groupId];
  const own = ['700', 0, host.groupId];
  expect(Object.fromEntries(modes.map(([name, ...rest]) => [name, rest]))).toEqual({
    blob: ['2750', 0, host.groupId],
    image: shared,
    layer: own,
    locks: shared,
    partial: shared,
    remote: shared,
    source: own,
    stage1: own,
    tmp: own,
  });
  // Who may write here could put a directory of their own in the place of root's.
  for (const path of [rkt.dir, cas()]) {
    const { mode, gid } = statSync(path);
    expect([(mode & 0o7777).toString(8), gid]).toEqual(['2750', host.groupId]);
  }
});

describe('a member', () => {
  let [aciId, ociId] = ['', ''];

  test('fetches, without extracting', async () => {
    const fetched = await host.member(['fetch', '--full', rkt.path('tiny.aci'), `oci:${rkt.path('oci')}`]);
    expect(fetched).toMatchObject({ code: 0, stderr: '' });
    [aciId = '', ociId = ''] = fetched.stdout.split('\n');
    expect([aciId, ociId]).toEqual([expect.stringMatching(/^sha512-/), expect.stringMatching(/^sha256-/)]);
    expect(readdirSync(cas('layer'))).toEqual([]);
    for (const id of [aciId, ociId])
      expect(JSON.parse(readFileSync(cas('image', `${id}.json`), 'utf8'))).toMatchObject({ layers: [] });
  });

  test('fetches again, from the same place, with others of the group, and undoes nothing of theirs', async () => {
    const again = ['fetch', '--full', rkt.path('tiny.aci')];
    for (const fetched of [await host.member(again), await host.root(again), await host.member(again)])
      expect(fetched).toMatchObject({ code: 0, stdout: `${aciId}\n`, stderr: '' });
    const record: unknown = JSON.parse(readFileSync(cas('image', `${aciId}.json`), 'utf8'));
    expect(record).toMatchObject({ layers: [expect.stringMatching(/^sha512:/)] });
  });

  test('lists images and pods, and prints manifests', async () => {
    const listed = await host.member(['image', 'list', '--full', '--no-legend', '--fields=id']);
    expect(listed).toMatchObject({ code: 0, stderr: '' });
    expect(listed.stdout.trimEnd().split('\n').sort()).toEqual([aciId, ociId].sort());
    const manifest = await host.member(['image', 'cat-manifest', aciId]);
    expect(JSON.parse(manifest.stdout)).toMatchObject({ name: 'example.com/tiny' });
    expect(await host.member(['list', '--format=json'])).toMatchObject({
      code: 0,
      stdout: 'null\n',
      stderr: '',
    });
  });

  test('may not run', async () => {
    const refused = await host.member(['run', '--net=none', aciId]);
    expect(refused).toMatchObject({
      code: 254,
      stdout: '',
      stderr: 'run: cannot run as unprivileged user\n',
    });
  });

  test('has fetched what root then runs', async () => {
    for (const id of [aciId, ociId]) {
      const ran = await host.root(['run', '--net=none', id], { timeoutSeconds: 240 });
      expect(ran).toMatchObject({ code: 0, stdout: 'hello from the image\n' });
    }
    expect(readdirSync(cas('layer')).length).toBeGreaterThan(0);
    const pods = await host.member(['list', '--full', '--format=json']);
    expect(JSON.parse(pods.stdout)).toHaveLength(2);
  });

  test('removes images, also those that root has fetched or extracted', async () => {
    const removed = await host.member(['image', 'rm', aciId, ociId]);
    expect(removed).toMatchObject({
      code: 0,
      stdout: [aciId, ociId].map((id) => `successfully removed aci for image: "${id}"\n`).join(''),
      stderr: 'rm: 2 image(s) successfully removed\n',
    });
    // What is left is the stage1 that root's pods have had, and the layers, which are root's to remove.
    expect(readdirSync(cas('image'))).toHaveLength(1);
    expect(readdirSync(cas('blob/sha256'))).toEqual([]);
    expect(readdirSync(cas('layer')).length).toBeGreaterThan(1);
    expect(await host.root(['gc', '--grace-period=0s'])).toMatchObject({ code: 0 });
    expect(await host.root(['image', 'gc', '--grace-period=0s'])).toMatchObject({ code: 0 });
    for (const name of ['image', 'layer', 'tmp', 'partial', 'locks', 'source', 'remote'])
      expect(readdirSync(cas(name))).toEqual([]);
  });
});

describe('a member cannot make an image a stage1', () => {
  const STAGE1 = 'coreos.com/rkt/stage1-evil';
  /** An ACI that says of itself that it is a stage1, whose program would leave a file as root. */
  async function evilAci(): Promise<string> {
    const annotations = [
      { name: 'coreos.com/rkt/stage1/interface-version', value: '6' },
      { name: 'coreos.com/rkt/stage1/run', value: '/run' },
    ];
    const program = tar.file('rootfs/run', `#!/bin/sh\ntouch ${rkt.path('owned')}\n`, { mode: 0o755 });
    const path = rkt.path('evil.aci');
    writeFileSync(path, aciOf({ name: STAGE1, annotations }, program));
    return path;
  }
  const stage1Run = (flag: string) =>
    host.root(['run', '--net=none', flag, rkt.path('tiny.aci')], { timeoutSeconds: 240 });
  let evil = '';
  beforeAll(async () => {
    const fetched = await host.member(['fetch', '--full', await evilAci()]);
    expect(fetched).toMatchObject({ code: 0 });
    evil = fetched.stdout.trimEnd();
    // As an app it is extracted.
    await host.root(['image', 'render', evil, rkt.path('evil-tree')]);
  });
  afterEach(() => expect(existsSync(rkt.path('owned'))).toBe(false));

  const refused = { code: 254, stdout: '', stderr: expect.stringMatching(/^run: .*stage1.*\n$/) };

  test('by its name or id', async () => {
    expect(await stage1Run(`--stage1-name=${STAGE1}`)).toMatchObject(refused);
    expect(await stage1Run(`--stage1-hash=${evil}`)).toMatchObject(refused);
  });

  test('by a mark, in the place of which they cannot put another', async () => {
    for (const script of [
      `echo > ${cas('stage1')}/${evil}`,
      `mv ${cas('stage1')} ${cas('stage1')}.old`,
      `mv ${cas('layer')} ${cas('layer')}.old`,
      `mv ${cas()} ${cas()}.old`,
      `echo > ${cas('source')}/x`,
      `mv ${cas('blob/sha512')} ${cas('blob/other')}`,
      `ls ${cas('layer')}`,
    ])
      expect({ script, code: (await host.memberShell(script)).code }).not.toMatchObject({ code: 0 });
  });

  test('by a record of the real one that says it is made of theirs', async () => {
    expect(
      await host.root(['run', '--net=none', rkt.path('tiny.aci')], { timeoutSeconds: 240 }),
    ).toMatchObject({
      code: 0,
    });
    const real = readdirSync(cas('stage1'))[0] ?? '';
    const record: Record<string, unknown> = JSON.parse(readFileSync(cas('image', `${real}.json`), 'utf8'));
    const theirs: Record<string, unknown> = JSON.parse(readFileSync(cas('image', `${evil}.json`), 'utf8'));
    writeFileSync(rkt.path('forged'), JSON.stringify({ ...record, ...contentOf(theirs) }));
    const forge = `cp ${rkt.path('forged')} ${cas('image')}/new && mv -f ${cas('image')}/new ${cas('image')}/${real}.json`;
    expect(await host.memberShell(forge)).toMatchObject({ code: 0 });
    const ran = await host.root(['run', '--net=none', rkt.path('tiny.aci')], { timeoutSeconds: 240 });
    expect(ran).toMatchObject({ code: 0, stdout: 'hello from the image\n' });
    expect(JSON.parse(readFileSync(cas('image', `${real}.json`), 'utf8'))).toEqual(record);
  });
});

describe('what a member has planted is not written through', () => {
  test.each([
    ['a record', 'image', (id: string) => `${id}.json.tmp`],
    [
      'a download',
      'partial',
      () =>
        `source-${createHash('sha256')
          .update(`file:${rkt.path('tiny.aci')}`)
          .digest('hex')}`,
    ],
  ])('in the place of %s', async (_what, directory, name) => {
    const victim = rkt.path(`victim-${directory}`);
    writeFileSync(victim, 'precious', { mode: 0o600 });
    const id = (await host.root(['fetch', '--full', rkt.path('tiny.aci')])).stdout.trimEnd();
    await host.root(['image', 'rm', id]);
    for (const plant of [`ln -s ${victim}`, 'mkfifo', 'touch']) {
      const path = cas(directory, name(id));
      expect(await host.memberShell(`rm -f ${path}; ${plant} ${path}`)).toMatchObject({ code: 0 });
      const fetched = await host.root(['fetch', '--full', rkt.path('tiny.aci')], { timeoutSeconds: 60 });
      expect(fetched).toMatchObject({ code: 0, stdout: `${id}\n` });
      expect(readFileSync(victim, 'utf8')).toBe('precious');
      expect(statSync(cas('image', `${id}.json`)).uid).toBe(0);
      await host.root(['image', 'rm', id]);
    }
  });

  test('nor waited for: a fifo in the place of a record or a lock', async () => {
    const id = (await host.root(['fetch', '--full', rkt.path('tiny.aci')])).stdout.trimEnd();
    const fifos = [cas('image', `sha512-${'0'.repeat(64)}.json`), cas('locks', `blob-${'0'.repeat(64)}`)];
    for (const path of fifos) expect(await host.memberShell(`mkfifo ${path}`)).toMatchObject({ code: 0 });
    const listed = await host.root(['image', 'list', '--no-legend', '--full', '--fields=id'], {
      timeoutSeconds: 60,
    });
    expect(listed).toMatchObject({ code: 0, stdout: expect.stringContaining(id) });
    expect(listed.stderr).toMatch(/^list: image "sha512-0+": .*cannot be read/);
    await host.memberShell(`rm ${fifos.join(' ')}`);
  });
});

test('a stranger is told in one line that the store is not for them', async () => {
  for (const args of [
    ['fetch', rkt.path('tiny.aci')],
    ['image', 'list'],
    ['image', 'rm', 'example.com/tiny'],
    ['image', 'cat-manifest', 'example.com/tiny'],
    ['list'],
  ]) {
    const { code, stdout, stderr } = await host.stranger(args);
    expect({ args, code, stdout }).toEqual({ args, code: 254, stdout: '' });
    const [first, ...more] = stderr.trimEnd().split('\n');
    expect(first).toMatch(/^\S+: .*(no permission to .*: root makes the store|EACCES)/);
    expect(more).toEqual(args.includes('rm') ? ['rm: 1 image(s) cannot be removed'] : []);
  }
});
