import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { buildPackage } from '../../tools/package.ts';
import { rootDir } from '../../tools/paths.ts';
import { tinyImages } from '../support/images.ts';
import { useRkt } from '../support/rkt.ts';
import { tool } from '../support/tool.ts';

// How it is installed, upgraded and removed: lab-systemd.test.ts.
const home = useRkt();
const tree = home.path('tree');
let deb = '';
beforeAll(async () => {
  deb = await buildPackage(home.path('one'));
  await tool('dpkg-deb', ['-x', deb, tree]);
});

const field = (name: string) => tool('dpkg-deb', ['--field', deb, name]);

test('is the same, byte for byte, whenever it is made', async () => {
  const again = await buildPackage(home.path('two'));
  expect(readFileSync(again).equals(readFileSync(deb))).toBe(true);
});

test('is named, versioned, and says what it needs', async () => {
  expect(await field('Package')).toBe('rkt\n');
  expect(await field('Version')).toMatch(/^\d+\.\d+\.\d+(~\w+)?\n$/);
  expect(await field('Depends')).toBe(
    'libc6, nodejs (>= 20.6), passwd, qemu-system-x86, virtiofsd | qemu-system-common (<< 1:8), xz-utils, zstd, bzip2, nftables | iptables, e2fsprogs, erofs-utils\n',
  );
  expect(Number(await field('Installed-Size'))).toBeGreaterThan(50_000);
});

test('holds files of root, which nobody else may change, at one time', async () => {
  const listing = (await tool('dpkg-deb', ['-c', deb])).trimEnd().split('\n');
  const times = new Set(listing.map((line) => /\d{4}-\d\d-\d\d \d\d:\d\d/.exec(line)?.[0]));
  expect(times.size).toBe(1);
  const modes = new Set(listing.map((line) => line.split(/\s+/).slice(0, 2).join(' ')));
  expect([...modes].sort()).toEqual([
    '-rw-r--r-- root/root',
    '-rwxr-xr-x root/root',
    'drwxr-xr-x root/root',
    'lrwxrwxrwx root/root',
  ]);
  await tool('sh', [
    '-c',
    `cd ${tree} && dpkg-deb --ctrl-tarfile ${deb} | tar -xO ./md5sums | md5sum --quiet -c`,
  ]);
});

test.each([
  'usr/lib/rkt/stage1-images/stage1-kvm.aci',
  'usr/lib/rkt/stage1-images/stage1-ns.aci',
  'usr/lib/rkt/stage1-images/stage1-fly.aci',
  'usr/lib/rkt/node_modules/@koromix/koffi-linux-x64/linux_x64/koffi.node',
  'usr/lib/rkt/plugins/net/bridge',
  'usr/lib/rkt/plugins/net/host-local',
  'usr/lib/systemd/system/rkt-gc.service',
  'usr/lib/systemd/system/rkt-gc.timer',
  'usr/lib/systemd/system/rkt-metadata.service',
  'usr/lib/systemd/system/rkt-metadata.socket',
  'usr/lib/sysusers.d/rkt.conf',
  'usr/lib/tmpfiles.d/rkt.conf',
  'usr/share/doc/rkt/copyright',
])('holds %s', (path) => {
  expect(readFileSync(join(tree, path)).length).toBeGreaterThan(0);
});

test('has the licence of all that is in it', () => {
  const copyright = readFileSync(join(tree, 'usr/share/doc/rkt/copyright'), 'utf8');
  const { dependencies } = JSON.parse(readFileSync(join(rootDir, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  for (const name of [...Object.keys(dependencies), 'minipass'])
    expect(copyright).toMatch(new RegExp(`^${name} \\d.*:\\n\\n {4}\\S`, 'm'));
  expect(copyright).toMatch(/QuickJS.*musl.*Linux kernel/s);
});

test('its maintainer scripts are shell', async () => {
  for (const name of ['postinst', 'prerm', 'postrm'])
    await tool('dash', ['-n', join(rootDir, 'tools/package', name)]);
});

test('its command runs a pod with its own stage1, wherever it lies', async () => {
  const argv = [join(tree, 'usr/bin/rkt'), ...home.argv([]).slice(1)];
  const stage1 = `--stage1-from-dir=stage1-kvm.aci`;
  const { aci } = await tinyImages();
  const run = [...argv, 'run', '--net=none', stage1, aci.plain, '--exec=/bin/echo', '--', 'from the package'];
  const { code, stdout, stderr } = await home.startArgv(run, { timeoutSeconds: 240 }).finished;
  expect({ code, stdout }, stderr).toEqual({ code: 0, stdout: expect.stringContaining('from the package') });
});

test('says which Node is too old', async () => {
  const launcher = join(tree, 'usr/lib/rkt/bin/rkt');
  const old = `Object.defineProperty(process.versions, 'node', { value: '18.20.4' }); require('${launcher}')`;
  const { code, stderr } = await home.startArgv([process.execPath, '-e', old]).finished;
  expect({ code, stderr }).toEqual({
    code: 254,
    stderr: `rkt: Node 20.6 or newer is needed, ${process.execPath} is 18.20.4\n`,
  });
});

describe('its manual', () => {
  test('has the page of each command', async () => {
    const pages = await tool('sh', ['-c', `ls ${tree}/usr/share/man/man1`]);
    const ours = await tool('sh', ['-c', `ls ${rootDir}/docs/man`]);
    expect(pages.replaceAll('.gz\n', '\n')).toBe(ours);
  });

  test('is what man shows', async () => {
    const page = join(tree, 'usr/share/man/man1/rkt-run.1.gz');
    const shown = (await tool('mandoc', ['-Tascii', page])).replaceAll(/.\x08/g, '');
    expect(shown).toMatch(/^NAME\n +rkt-run - /m);
  });
});

describe('its completion', () => {
  test('is found by zsh', async () => {
    const directory = join(tree, 'usr/share/zsh/vendor-completions');
    const script = `fpath=(${directory} $fpath); autoload -Uz compinit; compinit -D -u; echo $_comps[rkt]; autoload +X _rkt && echo loaded`;
    expect(await tool('zsh', ['-f', '-c', script])).toBe('_rkt\nloaded\n');
  });

  test('is found by fish', async () => {
    const places = [
      `XDG_DATA_DIRS=${tree}/usr/share`,
      `PATH=${tree}/usr/bin:/usr/bin:/bin`,
      `HOME=${home.root}`,
    ];
    const proposed = await tool('env', [...places, 'fish', '-c', "complete -C 'rkt versi'"]);
    expect(proposed).toMatch(/^version\t/);
  });

  test('is what bash loads', async () => {
    const path = join(tree, 'usr/share/bash-completion/completions/rkt');
    expect(await tool('bash', ['-c', `. ${path}; complete -p rkt`])).toBe('complete -F _rkt rkt\n');
  });
});
