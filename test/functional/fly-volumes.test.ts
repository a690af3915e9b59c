import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { writeFileImage } from '../support/file-image.ts';
import { FLY } from '../support/flavours.ts';
import { useRkt } from '../support/rkt.ts';
import { tool } from '../support/tool.ts';

// Volumes where the host shares its mounts: nothing is mounted or made there for an app alone.

const rkt = useRkt();
let image = '';
beforeAll(async () => {
  const files = rkt.path('files');
  mkdirSync(files);
  symlinkSync('/dev/shm', join(files, 'shm'));
  symlinkSync('../dev/shm/absent', join(files, 'dangling'));
  symlinkSync('/v/sub', join(files, 'volume'));
  symlinkSync('/var/own/place', join(files, 'own'));
  image = await writeFileImage(rkt.path('links.aci'), {
    name: 'example.com/links',
    exec: ['/bin/true'],
    files,
  });
  writeFileSync(rkt.path('secret'), 'secret');
});

/** A host of its own: the machine's mounts and its /dev/shm are not touched. Prints what the pod has left. */
const HOST = `
mount --make-rshared / && mount -t tmpfs shm /dev/shm || exit
eval "$1"; shift
sort /proc/self/mountinfo > "$before"
"$@"; code=$?
sort /proc/self/mountinfo | diff "$before" - | sed 's/^/left: /'
ls -A /dev/shm | sed 's/^/left: /'
exit $code`;

function run(args: readonly string[], setUp = '') {
  const argv = rkt.argv(['run', '--net=host', `--stage1-path=${FLY.image}`, ...args]);
  const start = [`before=${rkt.path('before')}; ${setUp}`, ...argv];
  const unshare = ['unshare', '--mount', '--propagation=slave'];
  return rkt.startArgv([...unshare, 'sh', '-c', HOST, 'sh', ...start], { timeoutSeconds: 120 }).finished;
}

const shell = (script: string) => ['--exec=/bin/sh', '--', '-c', script];
const secret = () => `--volume=x,kind=secret,source=${rkt.path('secret')}`;
const at = (target: string, volume = 'x') => `--mount=volume=${volume},target=${target}`;

describe('a target in what the app shares with the host', () => {
  const WHY = 'is in what the app shares with the host: /dev, /proc, /sys, or a volume';

  test.each([
    ['/dev/shm/x', secret],
    ['/dev/shm/deep/er/x', secret],
    ['/dev', () => '--volume=x,kind=empty'],
    ['/dev/zero', () => '--volume=x,kind=host,source=/dev/null'],
    ['/sys/kernel', () => '--volume=x,kind=tmpfs'],
    ['/proc/sys/kernel/hostname', secret],
    ['/files/shm/x', secret],
    ['/files/dangling', secret],
  ])('is refused, and nothing is there afterwards: %s', async (target, volume) => {
    const { code, stdout, stderr } = await run([volume(), image, at(target), ...shell('echo runs')]);
    expect({ code, stdout, stderr }).toEqual({
      code: 254,
      stdout: '',
      stderr: `run: volume x: its target ${target} ${WHY}\n`,
    });
  });

  test('is refused where a link leads into another volume', async () => {
    const source = rkt.path('source');
    mkdirSync(source);
    const volumes = [`--volume=v,kind=host,source=${source}`, secret()];
    const mounts = [at('/v', 'v'), at('/files/volume')];
    const { code, stdout, stderr } = await run([...volumes, image, ...mounts, ...shell('echo runs')]);
    expect({ code, stdout }).toEqual({ code: 254, stdout: '' });
    expect(stderr).toBe(`run: volume x: its target /files/volume ${WHY}\n`);
    expect(readdirSync(source)).toEqual([]);
  });

  test('is not where a link stays in the root, nor in its /tmp', async () => {
    const mounts = [at('/files/own'), at('/tmp/deep/x')];
    const script = shell('cat /var/own/place /tmp/deep/x');
    expect(await run([secret(), image, ...mounts, ...script])).toMatchObject({
      code: 0,
      stdout: 'secretsecret',
    });
  });

  test('is refused of the app’s own /tmp', async () => {
    const linked = rkt.path('linked.aci');
    const files = rkt.path('none');
    mkdirSync(files);
    await writeFileImage(linked, { name: 'example.com/tmp', exec: ['/bin/true'], files });
    await tool('tar', ['--delete', '-f', linked, 'rootfs/tmp']).catch(() => undefined);
    mkdirSync(rkt.path('rootfs'));
    symlinkSync('/dev/shm', rkt.path('rootfs/tmp'));
    await tool('tar', ['-C', rkt.root, '-rf', linked, 'rootfs/tmp']);
    const { code, stdout, stderr } = await run([linked]);
    expect({ code, stdout }).toEqual({ code: 226, stdout: '' });
    expect(stderr).toBe('run: app tmp: /tmp of the image leads into what the app shares with the host\n');
  });
});

describe('a part', () => {
  function source(name: string): string {
    const path = rkt.path(name);
    mkdirSync(join(path, 'part/below'), { recursive: true });
    return path;
  }
  const part = (path: string) => `--mount=volume=v,target=/part,subPath=${path}`;

  test('of a volume that cannot be written to is not made', async () => {
    const path = source('read-only');
    const volume = `--volume=v,kind=host,source=${path},readOnly=true`;
    const { code, stderr, stdout } = await run([volume, image, part('absent/deep'), ...shell('echo runs')]);
    expect({ code, stdout }).toEqual({ code: 254, stdout: '' });
    expect(stderr).toContain('run: volume v: EROFS');
    expect(readdirSync(path)).toEqual(['part']);
    const look = shell('ls /part; mkdir /part/x 2>/dev/null || echo read-only');
    expect((await run([volume, image, part('part'), ...look])).stdout).toBe('below\nread-only\n');
  });

  test.each([
    [false, 'part/below', 'part', ''],
    [true, 'part/below', 'part', 'of the host\n'],
    [false, 'part', 'part/below', ''],
    [true, 'part/below', 'part/below', 'of the host\n'],
  ])(
    'of a volume with recursive=%s: what is mounted at %s, seen from %s',
    async (recursive, mounted, subPath, seen) => {
      const path = source(`recursive-${recursive}-${mounted}-${subPath}`.replaceAll('/', '-'));
      const place = join(path, mounted);
      const setUp = `mount -t tmpfs host ${place} && echo of the host > ${place}/file`;
      const volume = `--volume=v,kind=host,source=${path},recursive=${recursive}`;
      const look = shell('cat /part/file /part/below/file 2>/dev/null; echo > /part/made');
      // HOST tells if the host has lost its mount.
      expect(await run([volume, image, part(subPath), ...look], setUp)).toMatchObject({
        code: 0,
        stdout: seen,
      });
      expect(existsSync(join(path, subPath, 'made'))).toBe(mounted !== subPath);
    },
  );
});

test.each([
  ['/etc', ''],
  ['/etc/hosts', '/hosts'],
])('what lies over a volume at %s is the app’s alone', async (target, name) => {
  const path = rkt.path(`over${target.replaceAll('/', '-')}`);
  mkdirSync(path);
  writeFileSync(join(path, 'hosts'), 'of the volume\n');
  const flags = ['--hosts-entry=10.0.0.1=one', `--volume=x,kind=host,source=${path}${name}`];
  const { code, stdout } = await run([...flags, image, at(target), ...shell('grep one /etc/hosts')]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: '10.0.0.1\tone\n' });
  expect(readFileSync(join(path, 'hosts'), 'utf8')).toBe('of the volume\n');
});

test('what makes no difference is said: who writes to a device, and whose files are', async () => {
  const volumes = [
    '--volume=null,kind=host,source=/dev/null,readOnly=true',
    `--volume=auto,kind=host,source=${rkt.path('files')},idmap=auto`,
    `--volume=plain,kind=host,source=${rkt.path('files')},readOnly=true`,
  ];
  const mounts = [at('/null', 'null'), at('/auto', 'auto'), at('/plain', 'plain')];
  const { code, stdout, stderr } = await run([
    ...volumes,
    image,
    ...mounts,
    ...shell('echo x > /null && echo written'),
  ]);
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'written\n' });
  expect(stderr).toBe(
    'run: volume null: readOnly=true does not keep the app from writing to the device\n' +
      'run: volume auto: idmap=auto is ignored: ids are as they are on the host\n',
  );
});
