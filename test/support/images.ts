import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildDir } from '../../tools/paths.ts';
import { debianRelease } from '../../tools/pins.ts';
import { debianMirrorOfHost } from './debian-mirror.ts';
import { TestSupportError } from './error.ts';
import { madeOnce } from './made-once.ts';
import { tool } from './tool.ts';

/** A root of busybox alone, as every kind of image that rkt takes. All are built with the tools that users have. */
export interface TinyImages {
  /** By compression: `plain`, `gzip`, `bzip2`, `xz`, `zstd`. */
  readonly aci: Readonly<Record<AciCompression, string>>;
  /** An OCI layout's directory, tag `latest`. */
  readonly ociLayout: string;
  /** The same image as one file. */
  readonly ociArchive: string;
}

export const ACI_COMPRESSIONS = ['plain', 'gzip', 'bzip2', 'xz', 'zstd'] as const;
export type AciCompression = (typeof ACI_COMPRESSIONS)[number];

const BUSYBOX = '/bin/busybox';
const PASSWD = 'root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1000::/home/alice:/bin/sh\n';
const GROUP = 'root:x:0:\nalice:x:1000:\ncrew:x:2000:alice\n';

/** The appc manifest of the tiny ACI; its app prints what it is given. */
const MANIFEST = {
  acKind: 'ImageManifest',
  acVersion: '0.8.11',
  name: 'example.com/tiny',
  labels: [
    { name: 'version', value: '1.0.0' },
    { name: 'arch', value: 'amd64' },
    { name: 'os', value: 'linux' },
  ],
  app: {
    exec: ['/bin/sh', '-c', 'echo hello from the image'],
    user: '0',
    group: '0',
    workingDirectory: '/home/alice',
    environment: [
      { name: 'FROM', value: 'image' },
      { name: 'IMAGE_ONLY', value: 'yes' },
    ],
  },
};

/** Builds the tiny images, once for each version of their recipe. */
export async function tinyImages(): Promise<TinyImages> {
  const directory = await built('tiny', readFileSync(busybox()), buildTiny);
  const aci = (name: string) => join(directory, `tiny-${name}.aci`);
  return {
    aci: { plain: aci('plain'), gzip: aci('gzip'), bzip2: aci('bzip2'), xz: aci('xz'), zstd: aci('zstd') },
    ociLayout: join(directory, 'oci'),
    ociArchive: join(directory, 'oci.tar'),
  };
}

/** An OCI layout, tag `latest`: a minimal Debian with Python, from Debian's packages on this machine's own mirror. */
export async function pythonImage(): Promise<string> {
  return join(await built('python', debianRelease, buildPython), 'oci');
}

async function buildTiny(directory: string): Promise<void> {
  const [rootfs, aci] = [join(directory, 'rootfs'), join(directory, 'tiny-plain.aci')];
  await makeTinyRoot(rootfs);
  writeFileSync(join(directory, 'manifest'), JSON.stringify(MANIFEST));
  await tool('tar', [
    '-C',
    directory,
    '--sort=name',
    '--owner=0',
    '--group=0',
    '--numeric-owner',
    '-cf',
    aci,
    'manifest',
    'rootfs',
  ]);
  for (const [name, program] of [
    ['gzip', 'gzip'],
    ['bzip2', 'bzip2'],
    ['xz', 'xz'],
    ['zstd', 'zstd'],
  ] as const)
    await tool('sh', ['-c', `${program} -c -q "$0" > "$1"`, aci, join(directory, `tiny-${name}.aci`)]);
  await makeOci(directory, (target) => tool('cp', ['-a', `${rootfs}/.`, target]));
  await tool('skopeo', [
    'copy',
    '-q',
    `oci:${join(directory, 'oci')}:latest`,
    `oci-archive:${join(directory, 'oci.tar')}:latest`,
  ]);
}

async function makeTinyRoot(rootfs: string): Promise<void> {
  for (const path of ['bin', 'etc', 'root', 'home/alice', 'tmp', 'proc', 'sys', 'dev'])
    mkdirSync(join(rootfs, path), { recursive: true });
  chmodSync(join(rootfs, 'tmp'), 0o1777);
  copyFileSync(BUSYBOX, join(rootfs, 'bin/busybox'));
  const applets = (await tool(BUSYBOX, ['--list']))
    .split('\n')
    .filter((name) => name !== '' && name !== 'busybox');
  for (const applet of applets) symlinkSync('busybox', join(rootfs, 'bin', applet));
  writeFileSync(join(rootfs, 'etc/passwd'), PASSWD);
  writeFileSync(join(rootfs, 'etc/group'), GROUP);
  writeFileSync(join(rootfs, 'bin/broken-loader'), '#!/no/such/interpreter\n', { mode: 0o755 });
}

async function buildPython(directory: string): Promise<void> {
  const tar = join(directory, 'debian.tar');
  const excluded = ['doc', 'locale', 'man'].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`);
  const packages = ['--variant=minbase', '--include=python3-minimal', ...excluded];
  await tool('mmdebstrap', ['--quiet', ...packages, debianRelease, tar, await debianMirrorOfHost()]);
  await makeOci(directory, (target) => tool('tar', ['-C', target, '--numeric-owner', '-xpf', tar]));
  rmSync(tar);
}

async function makeOci(directory: string, fill: (rootfs: string) => Promise<unknown>): Promise<void> {
  const [layout, bundle] = [join(directory, 'oci'), join(directory, 'bundle')];
  const image = ['--image', `${layout}:latest`];
  await tool('umoci', ['init', '--layout', layout]);
  await tool('umoci', ['new', ...image]);
  await tool('umoci', ['unpack', ...image, bundle]);
  await fill(join(bundle, 'rootfs'));
  await tool('umoci', ['repack', ...image, bundle]);
  const config = ['--config.env=FROM=image', '--config.workingdir=/tmp', '--config.entrypoint=/bin/sh'];
  await tool('umoci', [
    'config',
    ...image,
    ...config,
    '--config.cmd=-c',
    '--config.cmd=echo hello from the image',
  ]);
  rmSync(bundle, { recursive: true });
}

// Keyed by the recipe, which is this file, and by what goes in; built beside its place, so that it is whole or not there.
async function built(
  name: string,
  ingredients: string | Uint8Array,
  build: (directory: string) => Promise<void>,
): Promise<string> {
  const recipe = readFileSync(fileURLToPath(import.meta.url));
  const key = createHash('sha256').update(recipe).update(ingredients).digest('hex').slice(0, 16);
  const directory = join(buildDir, 'test-images', `${name}-${key}`);
  return await madeOnce(directory, async (unfinished) => {
    mkdirSync(unfinished);
    await build(unfinished);
  });
}

function busybox(): string {
  if (existsSync(BUSYBOX)) return BUSYBOX;
  throw new TestSupportError('MISSING_REQUIREMENT', `${BUSYBOX} is missing: apt-get install busybox-static`);
}
