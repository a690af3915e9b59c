import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { openDirectory } from '../../src/os/descriptor.ts';
import { removeXattr, setXattr } from '../../src/os/file-attributes.ts';
import { killedAt, wasKilled } from '../support/crash/system-calls.ts';
import { FLAVOURS } from '../support/flavours.ts';
import { umociTree } from '../support/image-tree.ts';
import { type TinyImages, tinyImages } from '../support/images.ts';
import { podTree } from '../support/pod-tree.ts';
import { eventually } from '../support/polling.ts';
import { savedUuid, useRkt } from '../support/rkt.ts';
import { endPod, startPod } from '../support/running-pod.ts';
import { tool } from '../support/tool.ts';
import { treeListing } from '../support/tree-listing.ts';

const rkt = useRkt();
let tiny: TinyImages;
beforeAll(async () => {
  tiny = await tinyImages();
});

/** All that an app may do to its files that an image can hold. */
const CHANGES = [
  'echo new > /etc/new; chown 1000:2000 /etc/new; chmod 4750 /etc/new; ln /etc/new /etc/hard',
  'rm /etc/group; echo "more:x:5:5::/:/bin/sh" >> /etc/passwd; chmod 600 /etc/passwd',
  'rm -r /home/alice; mkdir -m 700 /home/alice; echo again > /home/alice/again; touch -d @86400 /home/alice',
  'rm -r /root; ln -s /etc /root; ln -s /nowhere/at/all /tmp/dangling',
  'mkfifo -m 640 /tmp/fifo; mkdir -p /srv/a/b/c; chmod 1777 /srv/a; ln -s "../../.." /srv/a/b/up',
  'echo data > /srv/sparse; dd if=/srv/sparse of=/srv/sparse bs=1 seek=50000000 count=2 2>/dev/null; truncate -s 100M /srv/sparse',
  'odd=$(printf "/srv/odd \\377\\n\\"name"); echo odd > "$odd"; ln "$odd" /srv/plain',
  `long=/srv/${'d'.repeat(120)}/${'e'.repeat(120)}; mkdir -p $long; echo far > $long/${'f'.repeat(200)}`,
  'echo "echo hello from the export" > /bin/hello; chmod 755 /bin/hello',
].join('\n');

let count = 0;

/** Runs a pod of one app to its end; gives its UUID. */
async function exitedPod(
  flags: readonly string[],
  image: string,
  script: string,
  name = 'app',
): Promise<string> {
  const file = rkt.path(`uuid-${++count}`);
  const app = [image, `--name=${name}`, '--exec=/bin/sh', '--', '-ec', script];
  await rkt
    .run(['run', '--net=none', ...flags, `--uuid-file-save=${file}`, ...app])
    .then(({ code, stderr }) => {
      expect({ code, stderr: code === 0 ? '' : stderr }).toEqual({ code: 0, stderr: '' });
    });
  return savedUuid(file) ?? '';
}

/** What was on a disk of its machine is in the pod's directory then. */
async function readBack(uuid: string): Promise<string> {
  await rkt.output(['cp', `${uuid}:/etc`, rkt.path(`read-${uuid}`)]);
  return uuid;
}

const podPath = (uuid: string, phase = 'run') => join(rkt.dir, 'pods', phase, uuid);

async function fetched(store: string, reference: string): Promise<string> {
  return (await rkt.output([`--dir=${rkt.path(store)}`, 'fetch', '--full', reference])).trimEnd();
}

async function rendered(store: string, reference: string): Promise<string[]> {
  const id = await fetched(store, reference);
  const tree = rkt.path(`tree-${store}`);
  await rkt.output([`--dir=${rkt.path(store)}`, 'image', 'render', '--rootfs-only', id, tree]);
  return treeListing(tree);
}

async function unpackedLayout(archive: string): Promise<string> {
  const directory = `${archive}.layout`;
  mkdirSync(directory);
  await tool('tar', ['-C', directory, '-xf', archive]);
  return directory;
}

interface Document {
  readonly layers: readonly { readonly digest: string }[];
}

async function layersOf(archive: string): Promise<string[]> {
  const document: Document = JSON.parse(await tool('skopeo', ['inspect', '--raw', `oci-archive:${archive}`]));
  return document.layers.map(({ digest }) => digest);
}

const runsHello = async (reference: string) => {
  const { code, stdout } = await rkt.run([
    'run',
    '--net=none',
    reference,
    '--name=again',
    '--exec=/bin/sh',
    '--',
    '/bin/hello',
  ]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'hello from the export\n' });
};

describe.each(FLAVOURS)('$name: an exited app', ({ name }) => {
  const here = (file: string) => join(rkt.path(name), file);
  beforeAll(() => {
    mkdirSync(here(''));
  });
  const stage1 = `--stage1-from-dir=${name}.aci`;

  describe('of an image of OCI, over its layers', () => {
    let uuid = '';
    let tree: string[] = [];
    beforeAll(async () => {
      uuid = await readBack(await exitedPod([stage1], `oci:${tiny.ociLayout}:latest`, CHANGES));
      tree = podTree(podPath(uuid), 'app');
    });

    test('is as OCI its image and one layer of what has changed, to others too', async () => {
      const file = here('stacked.tar');
      await rkt.output(['export', uuid.slice(0, 8), file]);
      expect(tree.some((line) => line.startsWith('etc/group'))).toBe(false);
      expect(await umociTree(await unpackedLayout(file))).toEqual(tree);
      expect(await rendered(`${name}-stacked`, `oci-archive:${file}`)).toEqual(tree);
      const [own, ...changes] = await layersOf(file);
      expect([own]).toEqual(await layersOf(tiny.ociArchive));
      expect(changes).toHaveLength(1);
      const layer = join(`${file}.layout`, 'blobs/sha256', changes[0]?.slice('sha256:'.length) ?? '');
      // A hole of 100 MB costs nothing, nor does busybox, which is in the layer below.
      expect(statSync(layer).size).toBeLessThan(20_000);
      const config = JSON.parse(await tool('skopeo', ['inspect', '--config', `oci-archive:${file}`]));
      expect(config).toMatchObject({
        config: { Env: expect.arrayContaining(['FROM=image']), WorkingDir: '/tmp' },
      });
      expect(config.history.at(-1)).toEqual({ created_by: 'rkt export' });
      await runsHello(`oci-archive:${file}`);
    });

    test('is as an ACI all that it saw, compressed, with its image’s manifest', async () => {
      const file = here('whole.aci');
      await rkt.output(['export', `--app=app`, uuid, file]);
      expect(readFileSync(file).subarray(0, 2).toString('hex')).toBe('1f8b');
      expect(await rendered(`${name}-whole`, file)).toEqual(tree);
      expect(JSON.parse(await tool('tar', ['-xOzf', file, 'manifest']))).toEqual(
        JSON.parse(readFileSync(join(podPath(uuid), 'appsinfo/app/manifest'), 'utf8')),
      );
      await runsHello(file);
    });

    test('is as OCI one layer where its image’s own are lost', async () => {
      const file = here('flat.tar');
      const blobs = join(rkt.dir, 'cas/blob/sha256');
      const [layer = ''] = await layersOf(tiny.ociArchive);
      const blob = join(blobs, layer.slice('sha256:'.length));
      const content = readFileSync(blob);
      execFileSync('rm', [blob]);
      await rkt.output(['export', uuid, file]);
      writeFileSync(blob, content);
      expect(await layersOf(file)).toHaveLength(1);
      expect(await umociTree(await unpackedLayout(file))).toEqual(tree);
    });

    test('is one layer where the changes mean nothing without what is below', async () => {
      const file = here('redirected.tar');
      const id = readFileSync(join(podPath(uuid), 'appsinfo/app/treeStoreID'), 'utf8').trim();
      const directory = join(podPath(uuid), 'overlay', id, 'upper/app/srv/a');
      using opened = openDirectory(directory);
      setXattr(opened, 'trusted.overlay.redirect', Buffer.from('elsewhere'));
      await rkt.output(['export', uuid, file]);
      removeXattr(opened, 'trusted.overlay.redirect');
      expect(await layersOf(file)).toHaveLength(1);
    });

    test('is the same after it was marked to be removed', async () => {
      const before = here('before.tar');
      await rkt.output(['export', uuid, before]);
      await rkt.output(['gc', '--mark-only']);
      expect(existsSync(podPath(uuid, 'exited-garbage'))).toBe(true);
      await rkt.output(['export', '--overwrite', uuid, here('marked.tar')]);
      expect(await layersOf(here('marked.tar'))).toEqual(await layersOf(before));
      await rkt.output(['rm', uuid]);
    });
  });

  test('of an ACI is one layer of OCI', async () => {
    const uuid = await readBack(await exitedPod([stage1], tiny.aci.gzip, CHANGES));
    const tree = podTree(podPath(uuid), 'app');
    await rkt.output(['export', uuid, here('from-aci.tar')]);
    expect(await layersOf(here('from-aci.tar'))).toHaveLength(1);
    expect(await umociTree(await unpackedLayout(here('from-aci.tar')), '1.0.0')).toEqual(tree);
    await rkt.output(['export', '--format=aci', uuid, here('image-of-aci')]);
    expect(await rendered(`${name}-from-aci`, here('image-of-aci'))).toEqual(tree);
  });

  test('of a pod of copies is exported from there', async () => {
    const uuid = await exitedPod([stage1, '--no-overlay'], `oci:${tiny.ociLayout}:latest`, CHANGES);
    const tree = podTree(podPath(uuid), 'app');
    await rkt.output(['export', uuid, here('copied.aci')]);
    expect(await rendered(`${name}-copied`, here('copied.aci'))).toEqual(tree);
    await rkt.output(['export', uuid, here('copied.tar')]);
    expect(await umociTree(await unpackedLayout(here('copied.tar')))).toEqual(tree);
    await runsHello(`oci-archive:${here('copied.tar')}`);
  });

  test('is refused while it runs, and told apart from others of its pod', async () => {
    const script = ['--exec=/bin/sh', '--', '-c', 'trap exit TERM; while :; do sleep 0.1; done'];
    const two = ['--name=one', ...script, '---', tiny.aci.plain, '--name=two', ...script];
    const pod = await startPod(rkt, [stage1, tiny.aci.plain, ...two]);
    const refused = await rkt.run(['export', '--app=one', pod.uuid, here('running.aci')]);
    expect(refused).toMatchObject({
      code: 254,
      stderr: 'export: pod is not exited. Only exited pods can be exported: its state is running\n',
    });
    await endPod(pod);
    const unnamed = await rkt.run(['export', pod.uuid, here('two.aci')]);
    expect(unnamed).toMatchObject({
      code: 254,
      stderr: 'export: pod contains multiple apps: one, two: specify app using "rkt export --app= ..."\n',
    });
    const unknown = await rkt.run(['export', '--app=three', pod.uuid, here('three.aci')]);
    expect(unknown).toMatchObject({
      code: 254,
      stderr: 'export: no app "three" in the pod: it has one, two\n',
    });
    await rkt.output(['export', '--app=two', pod.uuid, here('two.aci')]);
    expect(
      readdirSync(here('')).filter((file) => /running|three|\.two/.test(file) && file.endsWith('.aci')),
    ).toEqual([]);
  });
});

describe('the files of a hostile app', () => {
  const names = (archive: string) => execFileSync('tar', ['-tf', archive], { encoding: 'utf8' }).split('\n');

  test('are archived and never followed, opened or obeyed; what has no word is told', async () => {
    const uuid = await exitedPod(
      ['--rootfs=virtiofs'],
      `oci:${tiny.ociLayout}:latest`,
      'mkfifo /fifo; ln -s / /root/up; touch /.wh.bin /etc/.wh..wh..opq',
    );
    const id = readFileSync(join(podPath(uuid), 'appsinfo/app/treeStoreID'), 'utf8').trim();
    const upper = join(podPath(uuid), 'overlay', id, 'upper/app');
    // What a guest's kernel can make that has taken over its machine.
    execFileSync('mknod', [join(upper, 'disk'), 'b', '8', '0']);
    const makeSocket = 'import os, stat, sys; os.mknod(sys.argv[1], stat.S_IFSOCK | 0o600)';
    execFileSync('python3', ['-c', makeSocket, join(upper, 'socket')]);
    const run = await rkt.run(['export', uuid, rkt.path('hostile.tar')]);
    expect(run).toMatchObject({ code: 0, stdout: '' });
    expect(run.stderr.split('\n').sort()).toEqual([
      '',
      'export: ".wh.bin" is left out: such a name removes others in an OCI image',
      'export: "etc/.wh..wh..opq" is left out: such a name removes others in an OCI image',
      'export: "socket" is left out: is a socket',
    ]);
    const tree = await umociTree(await unpackedLayout(rkt.path('hostile.tar')));
    expect(tree.map((line) => line.split(' ')[0])).toEqual(
      expect.arrayContaining(['bin/busybox', 'etc/passwd', 'disk', 'fifo', 'root/up']),
    );
    const aci = await rkt.run(['export', uuid, rkt.path('hostile.aci')]);
    expect(aci.stderr).toBe('export: "rootfs/socket" is left out: is a socket\n');
    expect(names(rkt.path('hostile.aci'))).toContain('rootfs/.wh.bin');
    const many = 'import os, stat, sys\nfor n in range(120): os.mknod(f"{sys.argv[1]}-{n}", stat.S_IFSOCK)';
    execFileSync('python3', ['-c', many, join(upper, 'socket')]);
    const { stderr } = await rkt.run(['export', uuid, rkt.path('sockets.aci')]);
    expect(stderr.split('\n')).toHaveLength(102);
    expect(stderr).toMatch(/\nexport: 21 more are left out\n$/);
  });

  test('that no image may hold are refused, and nothing is left of the attempt', async () => {
    const deep = 'cd /tmp; i=0; while [ $i -lt 270 ]; do mkdir d; cd d; i=$((i+1)); done';
    const uuid = await exitedPod([], tiny.aci.plain, deep);
    mkdirSync(rkt.path('nothing'));
    for (const file of ['x.aci', 'x.tar']) {
      const { code, stderr } = await rkt.run(['export', uuid, join(rkt.path('nothing'), file)]);
      expect(code).toBe(254);
      expect(stderr).toMatch(/^export: "(rootfs\/)?tmp\/d\/[^\n]*" is deeper than 256 directories\n$/);
    }
    expect(readdirSync(rkt.path('nothing'))).toEqual([]);
    expect(readdirSync(join(rkt.dir, 'cas/tmp'))).toEqual([]);
    // Where its root was on disks, what was there has been read before.
    const staging = join(podPath(uuid), 'staging');
    expect(existsSync(staging) ? readdirSync(staging) : []).toEqual([]);
  });

  test('are not those of the host where a copy has been replaced by a link', async () => {
    const uuid = await exitedPod(['--no-overlay'], tiny.aci.plain, 'true');
    const app = join(podPath(uuid), 'stage1/rootfs/opt/stage2/app');
    execFileSync('mv', [join(app, 'rootfs'), join(app, 'other')]);
    symlinkSync('/etc', join(app, 'rootfs'));
    const { code, stderr } = await rkt.run(['export', uuid, rkt.path('link.aci')]);
    expect({ code, stderr }).toEqual({
      code: 254,
      stderr: expect.stringMatching(/^export: ELOOP: [^\n]*\n$/),
    });
    expect(existsSync(rkt.path('link.aci'))).toBe(false);
  });
});

describe('the command line', () => {
  let uuid = '';
  beforeAll(async () => {
    uuid = await exitedPod([], tiny.aci.plain, 'true');
  });

  test('a file that is there stays, but with --overwrite', async () => {
    const file = rkt.path('there.aci');
    writeFileSync(file, 'mine');
    const { code, stderr } = await rkt.run(['export', uuid, file]);
    expect({ code, stderr }).toEqual({
      code: 254,
      stderr: `export: ${file} is there already (--overwrite replaces it)\n`,
    });
    expect(readFileSync(file, 'utf8')).toBe('mine');
    await rkt.output(['export', '--overwrite', uuid, file]);
    expect((await tool('tar', ['-tzf', file])).split('\n')[0]).toBe('manifest');
  });

  test('a directory that is there stays with all that is in it, even with --overwrite', async () => {
    const directory = rkt.path('there.tar');
    mkdirSync(directory);
    writeFileSync(join(directory, 'mine'), 'mine');
    const { code, stderr } = await rkt.run(['export', '--overwrite', uuid, directory]);
    expect({ code, stderr }).toEqual({
      code: 254,
      stderr: `export: ${directory} is there already, and is no file\n`,
    });
    expect(readFileSync(join(directory, 'mine'), 'utf8')).toBe('mine');
  });

  test.each([
    [['export', 'UUID', 'image.iso'], 'image.iso: expected the extension .aci or .tar'],
    [['export', '--format=zip', 'UUID', 'image.aci'], '--format: expected aci or oci-archive, got "zip"'],
    [['export', 'UUID'], "missing required argument 'FILE'"],
    [['export', 'zz', 'image.aci'], 'no matches found for "zz"'],
  ])('%j is refused', async (args, message) => {
    const { code, stdout, stderr } = await rkt.run(args.map((word) => (word === 'UUID' ? uuid : word)));
    expect({ code, stdout }).toEqual({ code: 254, stdout: '' });
    expect(stderr).toMatch(/^export: [^\n]*\n$/);
    expect(stderr).toContain(message);
  });

  test('a prepared pod has nothing to export', async () => {
    const prepared = (await rkt.output(['prepare', tiny.aci.plain])).trim();
    const { code, stderr } = await rkt.run(['export', prepared, rkt.path('prepared.aci')]);
    expect({ code, stderr }).toEqual({
      code: 254,
      stderr: 'export: pod is not exited. Only exited pods can be exported: its state is prepared\n',
    });
    await rkt.output(['rm', prepared]);
  });

  test('a pod is kept while it is exported: others export it too, and nobody removes it', async () => {
    const held = 'echo held; while :; do sleep 0.1; done';
    const holder = rkt.startArgv(['flock', '--shared', '--no-fork', podPath(uuid), 'sh', '-c', held]);
    await eventually('the pod is held', () => holder.stdout.includes('held'));
    const { code, stderr } = await rkt.run(['rm', uuid]);
    expect({ code, stderr: stderr.split('\n')[0] }).toEqual({
      code: 254,
      stderr: `rm: pod "${uuid}" is currently being read by another command`,
    });
    await rkt.output(['gc', '--grace-period=0s']);
    expect(await rkt.list()).toMatchObject(
      expect.arrayContaining([expect.objectContaining({ name: uuid, state: 'exited' })]),
    );
    await rkt.output(['export', uuid, rkt.path('held.aci')]);
    holder.signal('SIGTERM');
    await holder.finished;
  });

  test('a killed export leaves no file, and the pod is free again', async () => {
    const [directory, log] = [rkt.path('killed'), rkt.path('log')];
    mkdirSync(directory);
    const file = join(directory, 'x.aci');
    // Where the whole file would get its name.
    const argv = killedAt({ call: 'linkat', nth: 1, moment: 'run' }, log, rkt.argv(['export', uuid, file]));
    await rkt.startArgv(argv).finished;
    expect(wasKilled(log)).toBe(true);
    expect(readdirSync(directory)).toEqual([]);
    await rkt.output(['export', uuid, file]);
    await rkt.output(['rm', uuid]);
  });
});
