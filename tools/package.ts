/** Makes the Debian package: the same bytes from the same sources, at any time. */
import {
  chmod,
  lutimes,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { execa } from 'execa';
import { build } from './build.ts';
import { BuildError } from './error.ts';
import { type PackageVersion, packageContents } from './package-contents.ts';
import { checksums, controlText, debianVersion } from './package-control.ts';
import { buildDir, rootDir } from './paths.ts';
import { program } from './program.ts';
import type { Entry } from './stage1/entry.ts';
import { step } from './step.ts';

const SCRIPTS = ['postinst', 'prerm', 'postrm'] as const;
const { SOURCE_DATE_EPOCH, DEBFULLNAME, DEBEMAIL } = process.env;

/** Of what `build` has made. Gives the package's path. */
export async function buildPackage(directory = join(buildDir, 'package')): Promise<string> {
  const version = await packageVersion();
  const entries = await packageContents(version);
  const tree = await mkdtemp(join(tmpdir(), 'rkt-package-'));
  try {
    await chmod(tree, 0o755);
    for (const entry of [...entries, ...(await controlFiles(version, entries))]) await put(tree, entry);
    await setTimes(tree, version.date);
    return await pack(tree, version, directory);
  } finally {
    await rm(tree, { recursive: true });
  }
}

async function packageVersion(): Promise<PackageVersion> {
  const { version } = JSON.parse(await readFile(join(rootDir, 'package.json'), 'utf8')) as {
    version: string;
  };
  return {
    rkt: version,
    debian: debianVersion(version),
    maintainer: `${DEBFULLNAME ?? 'rkt packagers'} <${DEBEMAIL ?? 'rkt@example.com'}>`,
    date: SOURCE_DATE_EPOCH === undefined ? await lastChange() : parseEpoch(SOURCE_DATE_EPOCH),
  };
}

function parseEpoch(value: string): number {
  if (/^\d{1,11}$/.test(value)) return Number(value);
  throw new BuildError('BAD_PACKAGE', `SOURCE_DATE_EPOCH=${value}: not a number of seconds`);
}

/** Of the sources, where they are a clone; sources without a history have no time. */
async function lastChange(): Promise<number> {
  const { stdout, failed } = await execa('git', ['log', '-1', '--format=%ct'], {
    cwd: rootDir,
    reject: false,
  });
  return failed ? 0 : Number(stdout);
}

async function controlFiles(version: PackageVersion, entries: readonly Entry[]): Promise<Entry[]> {
  const ours = await Promise.all(
    [...SCRIPTS, 'triggers'].map(async (name): Promise<Entry> => {
      const bytes = await readFile(join(rootDir, 'tools/package', name));
      return { kind: 'file', path: `DEBIAN/${name}`, mode: name === 'triggers' ? 0o644 : 0o755, bytes };
    }),
  );
  const texts = { control: controlText(version, entries), md5sums: checksums(entries) };
  const made = Object.entries(texts).map(
    ([name, text]): Entry => ({
      kind: 'file',
      path: `DEBIAN/${name}`,
      mode: 0o644,
      bytes: Buffer.from(text),
    }),
  );
  return [...ours, ...made];
}

async function put(tree: string, entry: Entry): Promise<void> {
  const path = join(tree, entry.path);
  await mkdir(dirname(path), { recursive: true });
  switch (entry.kind) {
    case 'file':
      await writeFile(path, entry.bytes);
      await chmod(path, entry.mode);
      return;
    case 'symlink':
      await symlink(entry.target, path);
      return;
    case 'directory':
    case 'character':
      throw new BuildError('BAD_PACKAGE', `${entry.path}: a package of ours has no ${entry.kind} of its own`);
    default:
      entry satisfies never;
  }
}

async function setTimes(tree: string, date: number): Promise<void> {
  const below = await readdir(tree, { withFileTypes: true, recursive: true });
  const paths = below.map((entry) => join(entry.parentPath, entry.name));
  for (const entry of below) if (entry.isDirectory()) await chmod(join(entry.parentPath, entry.name), 0o755);
  // What is below first: writing there changes the time of what is above.
  for (const path of [...paths, tree].sort((a, b) => b.length - a.length)) await lutimes(path, date, date);
}

async function pack(tree: string, { debian, date }: PackageVersion, directory: string): Promise<string> {
  const path = join(directory, `rkt_${debian}_amd64.deb`);
  await mkdir(directory, { recursive: true });
  const temporary = `${path}.${process.pid}.tmp`;
  // zstd: the stage1 image is packed in seconds, and Debian's dpkg reads it since 12.
  const options = ['--root-owner-group', '-Zzstd', '--threads-max=1', '--build', tree, temporary];
  try {
    await execa('dpkg-deb', options, { env: { SOURCE_DATE_EPOCH: String(date) } });
    await rename(temporary, path);
  } finally {
    await rm(temporary, { force: true });
  }
  return path;
}

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await program(async () => {
    await build();
    process.stdout.write('package\n');
    const path = await step('rkt.deb', () => buildPackage());
    process.stdout.write(`  ${path}\n`);
    return 0;
  });
}
