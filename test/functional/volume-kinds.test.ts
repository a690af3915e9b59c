import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { detachedPod } from '../support/detached-pod.ts';
import { FLY, VARIANTS, type Variant } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { useRkt } from '../support/rkt.ts';

// Kinds of volumes that rkt did not have, each where a flavour has it.

const MIB = 1024 * 1024;
const SECRET = 'a-secret-that-is-nowhere-else';
const rkt = useRkt();
const fly: Variant = { ...FLY, flags: [] };
const isolating: readonly Variant[] = VARIANTS;
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
  mkdirSync(rkt.path('disks'));
  writeFileSync(rkt.path('secret'), SECRET);
});

const podFlags = ({ image, flags }: Variant) => ['--net=none', `--stage1-path=${image}`, ...flags];
const shell = (script: string, ...flags: string[]) => [image, ...flags, '--exec=/bin/sh', '--', '-c', script];
const mount = (volume: string, target: string, ...more: string[]) =>
  `--mount=${[`volume=${volume}`, `target=${target}`, ...more].join(',')}`;

async function output(variant: Variant, volumes: readonly string[], app: readonly string[]): Promise<string> {
  const env = { TEST_SECRET: SECRET };
  return await rkt.output(['run', ...podFlags(variant), ...volumes, ...app], { env });
}

async function refusal(
  variant: Variant,
  volumes: readonly string[],
  app: readonly string[],
): Promise<string> {
  const { code, stderr } = await rkt.run(['run', ...podFlags(variant), ...volumes, ...app]);
  expect(code).not.toBe(0);
  return stderr;
}

async function end(...uuids: string[]): Promise<void> {
  await rkt.output(['stop', '--force', ...uuids]);
  await rkt.output(['rm', ...uuids]);
}

function disk(name: string, mebibytes: number): string {
  const path = rkt.path(`disks/${name}.img`);
  writeFileSync(path, '');
  truncateSync(path, mebibytes * MIB);
  return path;
}

const LOOP = 'trap "exit 0" TERM; while :; do sleep 0.1; done';

describe.each([...isolating, fly])('$name', (variant) => {
  const named = variant.name;

  test('a named volume outlives the pod that made it, and is not removed while a pod has it', async () => {
    const volume = `--volume=data,kind=named,source=${named},mode=0750,uid=7`;
    const write = shell(`echo first > /data/file; touch /tmp/done; ${LOOP}`, mount('data', '/data'));
    const uuid = await detachedPod(rkt, [...podFlags(variant).slice(1), volume, ...write]);
    const [told] = JSON.parse(await rkt.output(['volume', 'inspect', named]));
    expect(told).toMatchObject({ name: named, pods: [{ name: uuid, state: 'running' }] });
    const { mode, uid } = statSync(told.path);
    expect([mode & 0o7777, uid]).toEqual([0o750, 7]);
    expect(await rkt.run(['volume', 'rm', named])).toMatchObject({
      code: 254,
      stderr: expect.stringContaining(`rm: volume "${named}" is used by pod "${uuid}" (running)\n`),
    });
    await end(uuid);
    await rkt.output(['gc', '--grace-period=0s']);
    const prepared = (
      await rkt.output([
        ...['prepare', ...podFlags(variant).slice(1), volume],
        ...shell('stat -c "%a %u" /data; cat /data/file', mount('data', '/data')),
      ])
    ).trim();
    expect((await rkt.run(['volume', 'rm', named])).stderr).toContain(`"${prepared}" (prepared)`);
    const seen = await rkt.output(['run-prepared', '--net=none', prepared]);
    expect(seen).toBe('750 7\nfirst\n');
    expect(await rkt.output(['volume', 'rm', named])).toBe(`${named}\n`);
    expect(existsSync(told.path)).toBe(false);
    await rkt.output(['rm', prepared]);
  });

  test('memory, secrets and parts of volumes are as they were asked for, and for the app’s user', async () => {
    const volumes = [
      '--volume=memory,kind=tmpfs,size=4Mi,mode=0711,gid=5',
      '--volume=word,kind=secret,env=TEST_SECRET',
      `--volume=file,kind=secret,source=${rkt.path('secret')},mode=0440,uid=0,gid=6`,
      '--volume=shared,kind=empty',
    ];
    const script = [
      'stat -c "%a %u %g" /memory /run/word /run/file',
      'cat /run/word; echo; cat /run/file; echo',
      'dd if=/dev/zero of=/memory/big bs=1M count=9 2>&1 | grep -c "No space"',
      '(echo x > /run/word) 2> /dev/null || echo kept',
      'env | grep -c TEST_SECRET',
      'echo part > /part/file; ls -R /whole',
    ].join('\n');
    const mounts = [
      ...[mount('memory', '/memory'), mount('word', '/run/word'), mount('file', '/run/file')],
      ...[mount('shared', '/whole'), mount('shared', '/part', 'subPath=deep/er')],
    ];
    // /memory is for all to write to who are its group's; the app is no user of its own group.
    const app = shell(script, ...mounts, '--user=0', '--group=0');
    const lines = (await output(variant, volumes, app)).split('\n');
    expect(lines.slice(0, 5)).toEqual(['711 0 5', '400 0 0', '440 0 6', SECRET, SECRET]);
    expect(lines.slice(5, 8)).toEqual(['1', 'kept', '0']);
    expect(lines.slice(8).join(' ')).toBe('/whole: deep  /whole/deep: er  /whole/deep/er: file ');
  });

  test('a secret belongs to the app that has it', async () => {
    const volumes = ['--volume=word,kind=secret,env=TEST_SECRET'];
    const script = 'stat -c "%a %u %g" /word; cat /word';
    const seen = await output(
      variant,
      volumes,
      shell(script, mount('word', '/word'), '--user=1000', '--group=1001'),
    );
    expect(seen).toBe(`400 1000 1001\n${SECRET}`);
  });

  test('no link in a volume leads a part of it out', async () => {
    await rkt.output(['volume', 'create', `links-${named}`]);
    const [{ path }] = JSON.parse(await rkt.output(['volume', 'inspect', `links-${named}`]));
    execFileSync('ln', ['-s', '/etc', join(path, 'absolute')]);
    execFileSync('ln', ['-s', '../..', join(path, 'up')]);
    execFileSync('ln', ['-s', 'inside/deep', join(path, 'beneath')]);
    mkdirSync(join(path, 'inside/deep'), { recursive: true });
    const volume = `--volume=v,kind=named,source=links-${named}`;
    for (const part of ['absolute', 'up', 'up/x', 'absolute/passwd'])
      expect(
        await refusal(variant, [volume], shell('ls /part', mount('v', '/part', `subPath=${part}`))),
      ).toContain('EXDEV');
    expect(await refusal(variant, [volume], shell('', mount('v', '/part', 'subPath=a/../..')))).toContain(
      'subPath: "a/../.." is no path below the volume',
    );
    const app = shell('echo x > /part/file', mount('v', '/part', 'subPath=beneath'));
    await output(variant, [volume], app);
    expect(readFileSync(join(path, 'inside/deep/file'), 'utf8')).toBe('x\n');
    await rkt.output(['gc', '--grace-period=0s']);
    await rkt.output(['volume', 'rm', `links-${named}`]);
  });

  test('what a secret is must be there, and is told to nobody', async () => {
    const app = shell('', mount('word', '/word'));
    expect(await refusal(variant, ['--volume=word,kind=secret,env=NOT_THERE'], app)).toBe(
      'run: volume "word": there is no variable NOT_THERE in the environment\n',
    );
    expect(await refusal(variant, ['--volume=word,kind=secret,source=/no/such'], app)).toContain(
      'volume "word": ENOENT',
    );
    await rkt.output(['gc', '--grace-period=0s']);
  });
});

test.each([...isolating.filter(({ ownKernel }) => !ownKernel), fly])(
  'in $name no device or set-user-id program of a named volume works',
  async (variant) => {
    const volume = `left-${variant.name}`;
    await rkt.output(['volume', 'create', volume]);
    const data = join(rkt.dir, 'volumes', volume, 'private/data');
    execFileSync('mknod', ['--mode=666', join(data, 'null'), 'c', '1', '3']);
    const script = 'cat /left/null && echo device; grep " /left " /proc/self/mountinfo | grep -o nosuid';
    const flags = [`--volume=left,kind=named,source=${volume}`];
    expect(await output(variant, flags, shell(script, mount('left', '/left')))).toBe('nosuid\n');
    await rkt.output(['gc', '--grace-period=0s']);
    await rkt.output(['volume', 'rm', volume]);
  },
);

describe.each(isolating)('$name', (variant) => {
  const { name } = variant;

  test('an empty volume of a size is full when it is, and gone with the pod', async () => {
    const volume = '--volume=little,kind=empty,size=8Mi,mode=1733,uid=7';
    const script = [
      'stat -c "%a %u" /little; ls -A /little | wc -l',
      'dd if=/dev/zero of=/little/big bs=1M count=20 2>&1 | grep -c "No space"',
      'test $(stat -c %s /little/big) -gt 5000000 && echo much',
    ].join('\n');
    expect(await output(variant, [volume], shell(script, mount('little', '/little')))).toBe(
      '1733 7\n0\n1\nmuch\n',
    );
    await rkt.output(['gc', '--grace-period=0s']);
  });

  test('an empty disk gets a file system, which the next pod finds', async () => {
    const path = disk(`fresh-${name}`, 16);
    const volume = `--volume=disk,kind=block,source=${path},uid=7,gid=8`;
    const write = shell('stat -c "%u %g" /disk; echo kept > /disk/file; sync', mount('disk', '/disk'));
    expect(await output(variant, [volume], write)).toBe('7 8\n');
    const look = shell(
      'cat /disk/file; echo x 2>/dev/null > /disk/file || echo kept',
      mount('disk', '/disk'),
    );
    expect(await output(variant, [`${volume},readOnly=true,fs=ext4`], look)).toBe('kept\nkept\n');
    // It fails where there is something to mend.
    execFileSync('fsck.ext4', ['-fn', path], { stdio: 'ignore' });
  });

  test('a disk is written to by one pod at a time', async () => {
    const path = disk(`taken-${name}`, 16);
    const volume = `--volume=disk,kind=block,source=${path}`;
    const app = shell(LOOP, mount('disk', '/disk'));
    const uuid = await detachedPod(rkt, [...podFlags(variant).slice(1), volume, ...app]);
    const again = shell('', mount('disk', '/disk'));
    expect(await refusal(variant, [volume], again)).toContain(`${path} is in use: another pod has it`);
    expect(await refusal(variant, [`${volume},readOnly=true`], again)).toContain(
      `${path} is in use: a pod writes to it`,
    );
    await end(uuid);
    expect(await output(variant, [volume], shell('echo free', mount('disk', '/disk')))).toBe('free\n');
    await rkt.output(['gc', '--grace-period=0s']);
  });

  test('a device is written to by one pod, and not where the host has it mounted', async () => {
    const file = disk(`device-${name}`, 16);
    const device = execFileSync('losetup', ['--find', '--show', file], { encoding: 'utf8' }).trim();
    try {
      const volume = `--volume=disk,kind=block,source=${device}`;
      const app = shell(LOOP, mount('disk', '/disk'));
      const again = shell('', mount('disk', '/disk'));
      const uuid = await detachedPod(rkt, [...podFlags(variant).slice(1), volume, ...app]);
      expect(await refusal(variant, [volume], again)).toContain(`${device} is in use: another pod has it`);
      expect(await refusal(variant, [`${volume},readOnly=true`], again)).toContain(
        `${device} is in use: a pod writes to it`,
      );
      await end(uuid);
      const argv = rkt.argv(['run', ...podFlags(variant), volume, ...again]);
      const script = 'mount "$1" "$2" && shift 2 && exec "$@"';
      const shellWords = ['unshare', '--mount', 'sh', '-c', script, 'sh', device, rkt.path('disks')];
      const { code, stderr } = await rkt.startArgv([...shellWords, ...argv]).finished;
      expect(code).toBe(254);
      expect(stderr).toContain(`volume disk: ${device}: the host has it mounted, or another program has it`);
    } finally {
      execFileSync('losetup', ['--detach', device]);
    }
    await rkt.output(['gc', '--grace-period=0s']);
  });

  test('what is on a disk already is left alone', async () => {
    const app = shell('', mount('disk', '/disk'));
    const other = disk(`other-${name}`, 4);
    writeFileSync(other, 'something', { flag: 'r+' });
    const refused = (path: string, more = '') =>
      refusal(variant, [`--volume=disk,kind=block,source=${path}${more}`], app);
    expect(await refused(other)).toContain('there is something on it, but no ext4 file system');
    expect(readFileSync(other).subarray(0, 9).toString()).toBe('something');
    expect(await refused(disk(`blank-${name}`, 4), ',readOnly=true')).toContain('it is empty, and nothing');
    expect(await refused(rkt.path('disks'))).toContain('EISDIR');
    expect(await refused(rkt.path('secret'))).toContain(`has ${SECRET.length} bytes`);
    expect(await refused('/dev/null')).toContain('is neither a file nor a block device');
    expect(await refused('/no/such')).toContain('ENOENT');
    await rkt.output(['gc', '--grace-period=0s']);
  });
});

test('a machine has as many disks as its bus has places', async () => {
  const [kvm] = isolating;
  if (kvm === undefined) throw new Error('no flavour');
  const numbers = Array.from({ length: 29 }, (_, index) => index);
  const seen = (count: number) => {
    const some = numbers.slice(0, count);
    const app = shell('grep -c " /d[0-9]* ext4 " /proc/mounts', ...some.map((n) => mount(`d${n}`, `/d${n}`)));
    return { volumes: some.map((n) => `--volume=d${n},kind=empty,size=1Mi`), app };
  };
  const [fit, more] = [seen(28), seen(29)];
  expect(await output(kvm, fit.volumes, fit.app)).toBe('28\n');
  expect(await refusal(kvm, more.volumes, more.app)).toContain(
    '29 interfaces and disks: a machine has at most 28 of both',
  );
  await rkt.output(['gc', '--grace-period=0s']);
});

test('what may only be read the machine’s own root does not write to, past the file system', async () => {
  const path = disk('guarded', 16);
  const [kvm] = isolating;
  if (kvm === undefined) throw new Error('no flavour');
  const volume = `--volume=disk,kind=block,source=${path}`;
  await output(kvm, [volume], shell('echo kept > /disk/file', mount('disk', '/disk')));
  const before = readFileSync(path);
  // On a file system of its own, where devices are devices.
  const script = [
    'umount /disk; mkdir /m; mount -t tmpfs none /m',
    'mknod /m/raw b $(tr : " " < /sys/block/vda/dev) && echo made',
    'dd if=/dev/zero of=/m/raw bs=4096 seek=1000 count=64 conv=fsync && echo written',
    'exit 0',
  ].join('\n');
  // All that an app can be given: it is as good as the machine's kernel then.
  const insecure = 'image,capabilities,paths,seccomp';
  const write = async (more: string) => {
    const app = shell(script, mount('disk', '/disk'));
    const { code, stdout } = await rkt.run(['run', ...podFlags(kvm), `${volume}${more}`, ...app], {
      insecure,
    });
    expect(code).toBe(0);
    return stdout;
  };
  expect(await write(',readOnly=true')).toBe('made\n');
  expect(readFileSync(path).equals(before)).toBe(true);
  // Otherwise the disk is its own.
  expect(await write('')).toBe('made\nwritten\n');
});

test.each([
  ['block,source=/dev/null', 'stage1-fly mounts no disks'],
  ['empty,size=1Mi', 'stage1-fly bounds the size of none'],
])('stage1-fly refuses kind=%s', async (kind, why) => {
  const app = shell('', mount('v', '/v'));
  expect(await refusal(fly, [`--volume=v,kind=${kind}`], app)).toContain(`volume v: ${why}`);
  await rkt.output(['gc', '--grace-period=0s']);
});
