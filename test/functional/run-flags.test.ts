import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { tinyImages } from '../support/images.ts';
import { LOOK, parseLook } from '../support/pod-look.ts';
import { savedUuid, useRkt } from '../support/rkt.ts';

const rkt = useRkt();
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
});

async function look(
  podFlags: readonly string[],
  appFlags: readonly string[],
  env = {},
  args: readonly string[] = [],
) {
  const script = ['--exec=/bin/sh', ...appFlags, '--', '-c', LOOK, 'sh', ...args];
  const stdout = await rkt.output(['run', '--net=none', ...podFlags, image, ...script], { env });
  return parseLook(stdout);
}

test('without flags an app has the image’s settings and the defaults', async () => {
  const seen = await look([], [], { FROM: 'caller', CALLER_ONLY: 'yes' });
  expect(Object.fromEntries(seen)).toMatchObject({
    pwd: '/home/alice',
    uid: '0',
    gid: '0',
    writable: 'yes',
    'env-FROM': 'image',
    'env-IMAGE_ONLY': 'yes',
    'env-AC_APP_NAME': 'tiny',
    'env-container': 'rkt',
    'env-PATH': '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'env-HOME': '/root',
    'env-USER': 'root',
    'env-LOGNAME': 'root',
    'env-SHELL': '/bin/sh',
  });
  expect(seen.has('env-CALLER_ONLY')).toBe(false);
  expect(seen.get('hostname')).toMatch(/^rkt-[0-9a-f-]{36}$/);
});

test('every flag of an app and of a pod is seen from inside', async () => {
  const [envFile, uuidFile] = [rkt.path('env'), rkt.path('uuid')];
  writeFileSync(envFile, '# comment\nFILE=file\nSET=file\nAPP=file\n');
  const podFlags = [
    ...['--inherit-env', '--set-env=SET=flag', '--set-env=APP=flag', `--set-env-file=${envFile}`],
    ...['--hostname=box', `--uuid-file-save=${uuidFile}`],
  ];
  const appFlags = [
    ...['--name=web', '--user=alice', '--group=crew', '--supplementary-gids=3000,3001'],
    ...['--working-dir=/etc', '--readonly-rootfs=true', '--environment=APP=app'],
    ...['--memory=700M', '--cpu=2'],
  ];
  const env = { FROM: 'caller', IMAGE_ONLY: 'caller', CALLER_ONLY: 'caller' };
  const seen = await look(podFlags, appFlags, env, ['one', 'two words']);
  expect(Object.fromEntries(seen)).toMatchObject({
    pwd: '/etc',
    hostname: 'box',
    'etc-hostname': 'box',
    uid: '1000',
    gid: '2000',
    cpus: '2',
    writable: 'no',
    args: 'one two words',
    'env-AC_APP_NAME': 'web',
    'env-CALLER_ONLY': 'caller',
    'env-IMAGE_ONLY': 'yes',
    'env-FROM': 'image',
    'env-FILE': 'file',
    'env-SET': 'flag',
    'env-APP': 'app',
  });
  expect(seen.get('groups')?.split(' ').sort()).toEqual(['2000', '3000', '3001']);
  expect(Number(seen.get('memory'))).toBeGreaterThanOrEqual(700);
  expect(savedUuid(uuidFile)).toBeDefined();
});

test('--no-overlay runs on a copy; the pod’s own manifest runs again with --pod-manifest', async () => {
  const uuidFile = rkt.path('uuid-copy');
  const run = [
    'run',
    '--net=none',
    '--no-overlay',
    `--uuid-file-save=${uuidFile}`,
    image,
    '--name=copy',
    '--exec=/bin/sh',
  ];
  expect(await rkt.output([...run, '--', '-c', 'echo made > /made; echo $AC_APP_NAME'])).toBe('copy\n');
  const uuid = savedUuid(uuidFile) ?? '';
  const rootfs = join(rkt.dir, 'pods/run', uuid, 'stage1/rootfs/opt/stage2/copy/rootfs');
  expect(readFileSync(join(rootfs, 'made'), 'utf8')).toBe('made\n');
  expect(readdirSync(rootfs)).toContain('bin');

  const manifest = rkt.path('pod.json');
  writeFileSync(manifest, await rkt.output(['cat-manifest', uuid]));
  expect(await rkt.output(['run', '--net=none', `--pod-manifest=${manifest}`])).toBe('copy\n');
});

test('--debug shows the machine’s console', async () => {
  mkdirSync(rkt.path('console'));
  // Of a kernel that boots: a saved one has said it before it was.
  const env = { RKT_HYPERVISOR_EXTRA_KERNEL_PARAMS: 'of=mine' };
  const { code, stdout, stderr } = await rkt.run(['--debug', 'run', '--net=none', image], { env });
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'hello from the image\n' });
  expect(stderr).toMatch(/Linux version \d+\.\d+/);
  const quiet = await rkt.run(['run', '--net=none', image], { env });
  expect(quiet.stderr).not.toMatch(/Linux version/);
});
