import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  constants,
  existsSync,
  readdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { openAt, openDirectory } from '../../src/os/descriptor.ts';
import { getXattr } from '../../src/os/file-attributes.ts';
import { detachedPod } from '../support/detached-pod.ts';
import { LayoutWriter } from '../support/layout-writer.ts';
import { eventually } from '../support/polling.ts';
import { savedUuid, useRkt } from '../support/rkt.ts';
import { endPod, startPod } from '../support/running-pod.ts';
import * as tar from '../support/tar-archive.ts';

// Roots of apps in machines as disks: images of layers, made once each, and one disk for what apps write.

const rkt = useRkt();
const BLOCK = ['run', '--net=none', '--rootfs=block'];
let layout: LayoutWriter;
/** `struct vfs_cap_data` of version 2: cap_net_raw, effective. */
const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex');
const base = () => tar.archive(...BASE);
const BASE = [
  tar.directory('bin'),
  tar.entry({ name: 'bin/busybox', mode: 0o755 }, readFileSync('/bin/busybox')),
  ...['sh', 'cat', 'chmod', 'ls', 'stat', 'dd', 'rm', 'test', 'find', 'sleep', 'sync', 'df', 'getfattr'].map(
    (name) => tar.symlink(`bin/${name}`, 'busybox'),
  ),
  tar.directory('etc'),
  tar.file('etc/removed', 'removed'),
  tar.directory('etc/opaque'),
  tar.file('etc/opaque/below', 'below'),
  tar.file('etc/first', 'linked', { uid: 1234, gid: 56789, mode: 0o4750 }),
  tar.hardlink('etc/second', 'etc/first'),
  tar.pax([
    ['SCHILY.xattr.user.of', 'the layer'],
    ['SCHILY.xattr.security.capability', CAPABILITY],
  ]),
  tar.file('etc/attributed', 'attributed'),
  tar.file('etc/holes', Buffer.alloc(3_000_000)),
  tar.directory('private', { mode: 0o700, uid: 70000 }),
];
const TOP = [
  tar.file('etc/.wh.removed'),
  tar.directory('etc/opaque'),
  tar.file('etc/opaque/.wh..wh..opq'),
  tar.file('etc/opaque/above', 'above'),
];

const image = (name: string, layers: readonly Buffer[]) =>
  layout.tag(layout.image({ layers, config: { Cmd: ['/bin/sh'] } }), name);
const imagesIn = () =>
  execFileSync('find', [join(rkt.dir, 'cas'), '-name', '*.erofs'], { encoding: 'utf8' })
    .trim()
    .split('\n');
const podPath = (uuid: string) => join(rkt.dir, 'pods/run', uuid);
const rootsOf = (uuid: string) => JSON.parse(readFileSync(join(podPath(uuid), 'root-disks.json'), 'utf8'));

let stacked = '';
let count = 0;
beforeAll(() => {
  layout = new LayoutWriter(rkt.path('layout'));
  stacked = image('stacked', [base(), tar.archive(...TOP)]);
});

const idOf = async (reference: string) => (await rkt.output(['fetch', '--full', reference])).trim();

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly uuid: string;
}

/** Runs a pod of one app to its end. */
async function ran(flags: readonly string[], from: string, script: string): Promise<Ended> {
  const file = rkt.path(`uuid-${++count}`);
  const words = [...BLOCK, `--uuid-file-save=${file}`, ...flags, from, '--name=app', '--exec=/bin/sh'];
  const { code, stdout, stderr } = await rkt.run([...words, '--', '-c', script]);
  return { code, stdout, stderr, uuid: savedUuid(file) ?? '' };
}

describe('what an app sees', () => {
  test('are its layers, with their owners, links, holes, attributes, and without what they remove', async () => {
    const script = [
      'ls /etc/removed; ls /etc/opaque; cat /etc/second',
      'stat -c "%h %u %g %a" /etc/first; stat -c "%u %a" /private; stat -c %s /etc/holes',
      'test /etc/first -ef /etc/second && echo same; find / -xdev -type c | grep -v ^/dev',
    ].join('\n');
    const { stdout, stderr, uuid } = await ran([], stacked, script);
    expect(stdout).toBe('above\nlinked2 1234 56789 4750\n70000 700\n3000000\nsame\n');
    expect(stderr).toContain('/etc/removed: No such file');
    expect(rootsOf(uuid)).toMatchObject({ kind: 'block', apps: [{ name: 'app', layers: [1, 0] }] });
  });

  test('are its layers with all attributes of files, which stay when it changes one', async () => {
    const { uuid } = await ran([], stacked, 'chmod 640 /etc/attributed');
    await rkt.output(['cp', `${uuid}:/etc/attributed`, rkt.path('attributed')]);
    const id = readFileSync(join(podPath(uuid), 'appsinfo/app/treeStoreID'), 'utf8').trim();
    using directory = openDirectory(join(podPath(uuid), 'overlay', id, 'upper/app/etc'));
    using file = openAt(directory, 'attributed', constants.O_RDONLY);
    expect(getXattr(file, 'user.of')?.toString()).toBe('the layer');
    expect(getXattr(file, 'security.capability')).toEqual(CAPABILITY);
  });

  test('is one disk where an image is deeper than a machine has disks, and the same', async () => {
    const marks = Array.from({ length: 10 }, (_, n) => tar.archive(tar.file(`etc/layer-${n}`, String(n))));
    const deep = image('deep', [base(), tar.archive(...TOP), ...marks]);
    const script = 'cat /etc/layer-*; ls /etc/opaque /etc/removed; stat -c "%h %u" /etc/second';
    const { stdout, uuid } = await ran([], deep, script);
    expect(stdout).toBe('0123456789/etc/opaque:\nabove\n2 1234\n');
    const [only, ...others] = rootsOf(uuid).images;
    expect(others).toEqual([]);
    expect(only).toMatch(/\/disk-[0-9a-f]{24}\/image\.erofs$/);
    const again = await ran([], deep, 'true');
    expect(rootsOf(again.uuid).images).toEqual([only]);
  });

  test('is read-only where it is asked for, and of two apps each has its own changes', async () => {
    const app = (name: string, script: string) => [
      stacked,
      `--name=${name}`,
      '--exec=/bin/sh',
      '--',
      '-c',
      script,
    ];
    const one = app('one', 'echo one > /mine; sleep 1; cat /mine');
    const two = ['---', ...app('two', 'ls /mine; echo two > /mine; true')];
    two.splice(2, 0, '--readonly-rootfs');
    const { stdout, stderr } = await rkt.run([...BLOCK, ...one, ...two]);
    expect(stdout).toMatch(/one\n$/);
    expect(stderr).toMatch(/Read-only file system/);
    expect(stderr).toMatch(/\/mine: No such file/);
  });
});

describe('the scratch disk', () => {
  test('has the size that is asked for: an app that writes more is told so, and goes on', async () => {
    const script =
      'dd if=/dev/zero of=/big bs=1M count=100 2>&1 | grep -o "No space left on device"; rm /big; echo on';
    const { code, stdout, uuid } = await ran(['--scratch-size=48Mi'], stacked, script);
    expect({ code, stdout }).toEqual({ code: 0, stdout: 'No space left on device\non\n' });
    expect(statSync(join(podPath(uuid), 'scratch')).size).toBe(48 * 1024 ** 2);
  });

  test('of a pod that was killed is read all the same, whiteouts and all, and only once', async () => {
    const pod = await startPod(rkt, [
      ...['--rootfs=block', stacked, '--name=app', '--exec=/bin/sh', '--', '-c'],
      'echo kept > /etc/kept; rm /etc/first; rm -r /etc/opaque; sync; echo written; sleep 100000',
    ]);
    await eventually('it is written', () => pod.command.stdout.includes('written'));
    pod.command.signal('SIGKILL');
    await pod.command.finished;
    const target = rkt.path('killed');
    await rkt.output(['cp', `${pod.uuid}:/etc`, target]);
    expect(readFileSync(join(target, 'kept'), 'utf8')).toBe('kept\n');
    expect(readdirSync(target)).not.toEqual(expect.arrayContaining(['first', 'opaque', 'removed']));
    // What is there by now needs no machine.
    truncateSync(join(podPath(pod.uuid), 'scratch'), 0);
    await rkt.output(['cp', `${pod.uuid}:/etc/kept`, rkt.path('again')]);
    await rkt.output(['export', pod.uuid, rkt.path('killed.aci')]);
    const names = execFileSync('tar', ['-tzf', rkt.path('killed.aci')], { encoding: 'utf8' }).split('\n');
    expect(names).toContain('rootfs/etc/second');
    expect(names).not.toContain('rootfs/etc/first');
  });

  test('with something else on it than a file system is refused, by no kernel of the host’s', async () => {
    const { code: ended, uuid } = await ran(['--scratch-size=16Mi'], stacked, 'true');
    expect(ended).toBe(0);
    const scratch = join(podPath(uuid), 'scratch');
    writeFileSync(scratch, randomBytes(16 * 1024 ** 2));
    const { code, stderr } = await rkt.run(['cp', `${uuid}:/etc`, rkt.path('garbage')]);
    expect(code).toBe(254);
    expect(stderr).toMatch(
      /^cp: the scratch disk cannot be read: the pod's init gave up: [^\n]*\/disks\/scratch'\n$/m,
    );
    expect(existsSync(rkt.path('garbage'))).toBe(false);
    expect(readdirSync(join(podPath(uuid), 'staging'))).toEqual([]);
  });
});

describe('the processes of a pod', () => {
  test.each([
    ['without volumes of the host', [], ['qemu', 'supervisor']],
    [
      'with one',
      ['--volume=v,kind=host,source=/usr', '--mount=volume=v,target=/v'],
      ['qemu', 'supervisor', 'virtiofsd'],
    ],
  ])('%s', async (_, flags, expected) => {
    const pod = await startPod(rkt, [
      '--rootfs=block',
      ...flags,
      stacked,
      '--exec=/bin/sleep',
      '--',
      '100000',
    ]);
    const { pods } = JSON.parse(await rkt.output(['stats', '--format=json', pod.uuid]));
    const names = pods[0].host.processes.map(({ name }: { readonly name: string }) => name);
    expect(names.sort()).toEqual(expected);
    await endPod(pod);
  });
});

describe('images of layers', () => {
  test('are made once by two pods that start at once, and shared', async () => {
    const raced = image('raced', [base(), tar.archive(tar.file('noise', randomBytes(20_000_000)))]);
    await rkt.output(['fetch', raced]);
    const before = imagesIn();
    const pods = await Promise.all([1, 2].map(() => ran([], raced, 'stat -c %s /noise')));
    expect(pods.map(({ stdout }) => stdout)).toEqual(['20000000\n', '20000000\n']);
    const [one, two] = pods.map(({ uuid }) => rootsOf(uuid).images);
    expect(one).toEqual(two);
    expect(imagesIn().filter((path) => !before.includes(path))).toHaveLength(1);
    expect(readdirSync(join(rkt.dir, 'cas/tmp'))).toEqual([]);
  });

  test('are made by fetch where the configuration says that pods have them, and said to be', async () => {
    const marks = (kind: string, count: number) =>
      Array.from({ length: count }, (_, n) => tar.archive(tar.file(`etc/${kind}-${n}`, String(n))));
    const flat = image('fetched', marks('flat', 7));
    rkt.configure('vm', { rootfs: 'virtiofs' });
    await rkt.output(['fetch', flat]);
    const before = imagesIn();
    const made = () => imagesIn().filter((path) => !before.includes(path));
    rkt.configure('vm', { rootfs: 'block' });
    try {
      const { stderr } = await rkt.run(['--debug', 'fetch', flat]);
      expect(stderr.match(/made a disk of layer sha256:[0-9a-f]{64}/g)).toHaveLength(7);
      expect(made()).toHaveLength(7);
      // As many as a machine has none for: all are one.
      await rkt.output(['fetch', image('fetched-deep', marks('deep', 8))]);
      expect(made()).toHaveLength(7 + 1);
      expect(made().filter((path) => /\/disk-[0-9a-f]{24}\//.test(path))).toHaveLength(1);
    } finally {
      rkt.configure('vm', { rootfs: 'virtiofs' });
    }
  });

  test('whose maker is killed are made by the next, and nothing is left of the first', async () => {
    const large = image('large', [base(), tar.archive(tar.file('noise', randomBytes(150_000_000)))]);
    await rkt.output(['fetch', large]);
    const before = imagesIn();
    const command = rkt.start([...BLOCK, large, '--exec=/bin/sh', '--', '-c', 'true']);
    const tmp = join(rkt.dir, 'cas/tmp');
    await eventually('one is being made', () =>
      readdirSync(tmp).some((name) => existsSync(join(tmp, name, 'disk'))),
    );
    command.signal('SIGKILL');
    await command.finished;
    await eventually(
      'its mkfs has ended',
      () => !rkt.scope.processes().some(({ name }) => name === 'mkfs.erofs'),
    );
    expect(imagesIn().filter((path) => !before.includes(path) && !path.startsWith(tmp))).toEqual([]);
    const { code, stdout } = await ran([], large, 'stat -c %s /noise');
    expect({ code, stdout }).toEqual({ code: 0, stdout: '150000000\n' });
    expect(readdirSync(tmp)).toEqual([]);
  });

  test('that are not what was made are found by image verify, and made anew', async () => {
    const { uuid } = await ran([], stacked, 'true');
    const [path] = rootsOf(uuid).images;
    const content = readFileSync(path);
    content[content.length - 1] = (content[content.length - 1] ?? 0) ^ 0xff;
    writeFileSync(path, content);
    const { code, stdout, stderr } = await rkt.run(['image', 'verify', await idOf(stacked)]);
    expect(code).toBe(0);
    expect(stdout + stderr).toMatch(/disk image of layer sha256:/);
    expect(existsSync(path)).toBe(false);
    expect((await ran([], stacked, 'cat /etc/second')).stdout).toBe('linked');
    expect(existsSync(path)).toBe(true);
  });

  test('go with their layers', async () => {
    const own = image('own', [base(), tar.archive(tar.file('own', 'own'))]);
    const { uuid } = await ran([], own, 'true');
    const [, top] = rootsOf(uuid).images;
    await rkt.output(['rm', uuid]);
    await rkt.output(['image', 'rm', await idOf(own)]);
    expect(existsSync(top)).toBe(false);
  });
});

describe('which kind a pod has', () => {
  const kindOf = (uuid: string) => rootsOf(uuid).kind;

  test('is for the flags to say, else for the configuration', async () => {
    rkt.configure('vm', { rootfs: 'virtiofs', scratchSize: 32 * 1024 ** 2 });
    const start = async (...flags: string[]) =>
      await detachedPod(rkt, [...flags, stacked, '--exec=/bin/sh', '--', '-c', 'true']);
    expect(kindOf(await start())).toBe('virtiofs');
    const block = await start('--rootfs=block');
    expect(rootsOf(block)).toMatchObject({ kind: 'block', scratchBytes: 32 * 1024 ** 2 });
    rkt.configure('vm', { rootfs: 'block' });
    expect(kindOf(await start('--rootfs=virtiofs'))).toBe('virtiofs');
    expect(kindOf(await start())).toBe('block');
  });

  test('is decided when a prepared pod is run', async () => {
    const uuid = (await rkt.output(['prepare', stacked, '--exec=/bin/sh', '--', '-c', 'df -m /'])).trim();
    const { stdout } = await rkt.run([
      'run-prepared',
      '--net=none',
      '--rootfs=block',
      '--scratch-size=32Mi',
      uuid,
    ]);
    expect(rootsOf(uuid)).toMatchObject({ kind: 'block', scratchBytes: 32 * 1024 ** 2 });
    expect(stdout).toContain('overlay');
  });

  test.each([
    [['--no-overlay', '--rootfs=block'], "--rootfs=block: the roots are the pod's own copies"],
    [['--no-overlay', '--scratch-size=1Gi'], "--scratch-size: the roots are the pod's own copies"],
    [
      ['--stage1-from-dir=stage1-ns.aci', '--rootfs=block'],
      '--rootfs: coreos.com/rkt/stage1-ns runs no virtual machine',
    ],
    [['--stage1-from-dir=stage1-ns.aci', '--scratch-size=1Gi'], '--scratch-size: coreos.com/rkt/stage1-ns'],
    [['--rootfs=nfs'], '--rootfs is virtiofs or block, not "nfs"'],
    [['--scratch-size=1Ki'], '--scratch-size: "1Ki" is no size from 16Mi to 16Ti'],
    [['--rootfs=virtiofs', '--scratch-size=1Gi'], '--scratch-size does not go with --rootfs=virtiofs'],
  ])('%j is refused', async (flags, message) => {
    const { code, stderr } = await rkt.run(['run', '--net=none', ...flags, stacked]);
    expect(code).toBe(254);
    expect(stderr).toContain(message);
  });
});
