import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { artefacts } from '../../tools/paths.ts';
import { makeDeepDirectory } from '../support/deep-directory.ts';
import { ACI_MANIFEST } from '../support/image-files.ts';
import { tinyImages } from '../support/images.ts';
import { eventually } from '../support/polling.ts';
import { savedUuid, useRkt } from '../support/rkt.ts';
import * as tar from '../support/tar-archive.ts';

const STAGE1 = 'coreos.com/rkt/stage1-kvm';
const BUSYBOX = '/bin/busybox';

const rkt = useRkt();
let image = '';
let impostor = '';
const marker = rkt.path('ran-on-the-host');
// Whether or not there is a machine for it: the images are imported, and their apps told to end.
const IMPORT_ONLY = { env: { RKT_HYPERVISOR_ACCEL: 'kvm' } };

beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
  impostor = writeImpostor(rkt.path('impostor.aci'), `touch ${marker}`);
  await rkt.run(['run', '--net=none', impostor], IMPORT_ONLY);
  // From here on the store has the genuine stage1 and, imported after it, one that takes its name; no file has.
  mkdirSync(rkt.path('no-images'));
  mkdirSync(join(rkt.localConfig, 'paths.d'));
  const paths = { rktKind: 'paths', rktVersion: 'v1', 'stage1-images': rkt.path('no-images') };
  writeFileSync(join(rkt.localConfig, 'paths.d/paths.json'), JSON.stringify(paths));
});

/** An image that would run `script` on the host if it were taken for the stage1. */
function writeImpostor(path: string, script: string): string {
  const annotations = [
    { name: 'coreos.com/rkt/stage1/interface-version', value: '6' },
    { name: 'coreos.com/rkt/stage1/run', value: '/run' },
  ];
  const manifest = JSON.stringify({ ...ACI_MANIFEST, name: STAGE1, annotations });
  const program = tar.file('rootfs/run', `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  writeFileSync(path, tar.archive(tar.file('manifest', manifest), tar.directory('rootfs'), program));
  return path;
}

function storedId(source: string): string {
  const directory = join(rkt.dir, 'cas/image');
  const names = readdirSync(directory);
  const found = names.find((name) => readFileSync(join(directory, name), 'utf8').includes(`"${source}"`));
  return found?.replace('.json', '') ?? 'not imported';
}

/** In the guest: what a set-user-id program is good for, and that a device is good for nothing. Root of the image's passwd gets no password. */
const IN_GUEST = `
sed -i 's/^root:x/root:/' /etc/passwd
cp /bin/busybox /tmp/su && chmod 4755 /tmp/su
echo "raised=$(/bin/su alice -c '/tmp/su root -c "/bin/id -u"')"
mknod /dev/own c 1 3 && { echo lost > /dev/own || echo device=dead; }
echo ready; sleep 100000
`;

test("an app's image that calls itself the stage1 is not one by its hash either", async () => {
  const id = storedId(impostor);
  const { code, stderr } = await rkt.run(['run', '--net=none', `--stage1-hash=${id}`, image]);
  expect(code).toBe(254);
  expect(stderr).toContain(`image ${id} (${STAGE1}) was never given as a stage1`);
  expect(existsSync(marker)).toBe(false);
});

test('what a guest makes is worth nothing outside of the guest', async () => {
  const uuidFile = rkt.path('uuid');
  const flags = ['--net=none', `--uuid-file-save=${uuidFile}`, `--stage1-name=${STAGE1}`];
  const app = [image, '--name=guest', '--exec=/bin/sh', '--', '-c', IN_GUEST];
  const command = rkt.start(['run', ...flags, ...app], { timeoutSeconds: 240 });
  await eventually('the app is up', () => command.stdout.includes('ready'), 120);
  expect(command.stdout).toContain('raised=0\n');
  expect(command.stdout).toContain('device=dead\n');

  const roots = mountsOf(command.pid).filter(({ target }) => target.includes('/opt/stage2/'));
  expect(roots.length).toBeGreaterThan(0);
  for (const { options } of roots) expect(options).toEqual(expect.arrayContaining(['nosuid', 'nodev']));
  command.signal('SIGTERM');
  await command.finished;
  expect(existsSync(marker)).toBe(false);

  const uuid = savedUuid(uuidFile) ?? '';
  const pod = join(rkt.dir, 'pods/run', uuid);
  // What is on a scratch disk comes out of it when somebody asks.
  await rkt.output(['cp', `${uuid}:/tmp/su`, rkt.path('su')]);
  const upper = join(pod, 'overlay', storedId(image), 'upper/guest');
  expect(statSync(join(upper, 'tmp/su')).mode & 0o7777).toBe(0o4755);
  chmodSync(rkt.root, 0o755);
  // The pod's group may read its manifest: the probe works.
  expect(await asGroup(pod, ['test', '-r', join(pod, 'pod')])).toBe(0);
  expect(await asGroup(pod, [join(upper, 'tmp/su'), 'root', '-c', 'true'])).not.toBe(0);
  expect(await asGroup(pod, ['test', '-e', join(upper, 'tmp/su')])).toBe(1);

  // As `mkdir d; cd d` would, which takes an emulated guest minutes.
  makeDeepDirectory(join(upper, 'tmp'), 20_000, () => {});
  await rkt.output(['rm', uuid]);
  expect(existsSync(pod)).toBe(false);
});

/** Runs a command as a user who has nothing but the group of the pod's directory. */
async function asGroup(pod: string, argv: readonly string[]): Promise<number> {
  const ids = ['--reuid=65534', `--regid=${statSync(pod).gid}`, '--clear-groups', '--inh-caps=-all'];
  return (await rkt.startArgv(['setpriv', ...ids, ...argv]).finished).code;
}

interface Mount {
  readonly target: string;
  readonly options: readonly string[];
}

const mountsOf = (pid: number) => parseMounts(readFileSync(`/proc/${pid}/mountinfo`, 'utf8'));

function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [, , , , target, options] = line.split(' ');
    return target === undefined || options === undefined ? [] : [{ target, options: options.split(',') }];
  });
}

test('rkt-mount takes set-user-id and devices from all that it mounts, and writing from all below a read-only volume', async () => {
  const pod = rkt.path('pod');
  for (const name of ['stage1/rootfs', 'upper', 'work', 'volume/below', 'lower/layer'])
    mkdirSync(join(pod, name), { recursive: true });
  copyFileSync(BUSYBOX, join(pod, 'stage1/rootfs/busybox'));
  const overlay = { kind: 'overlay', target: 'app', lowerBase: join(pod, 'lower'), lower: ['layer'] };
  const mounts = [
    { ...overlay, upper: 'upper', work: 'work' },
    { kind: 'bind', source: 'volume', target: 'bound', readOnly: true },
  ];
  writeFileSync(join(pod, 'mounts.json'), JSON.stringify({ version: 1, keep: [dirname(pod)], mounts }));
  const mountBelow = `mount -t tmpfs -o noexec below ${pod}/volume/below && cd ${pod} && exec "$@"`;
  const argv = [artefacts.rktMount, 'stage1/rootfs/busybox', 'cat', '/proc/self/mountinfo'];
  const { stdout } = await rkt.startArgv(['unshare', '-m', 'sh', '-c', mountBelow, 'sh', ...argv]).finished;
  const found = new Map(parseMounts(stdout).map(({ target, options }) => [target, options]));
  const optionsOf = (name: string) => found.get(join(pod, name)) ?? [];
  expect(optionsOf('app')).toEqual(expect.arrayContaining(['rw', 'nosuid', 'nodev']));
  expect(optionsOf('bound')).toEqual(expect.arrayContaining(['ro', 'nosuid', 'nodev']));
  expect(optionsOf('bound/below')).toEqual(expect.arrayContaining(['ro', 'nosuid', 'nodev', 'noexec']));
});
