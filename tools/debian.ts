import { mkdir, readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { execa } from 'execa';
import {
  type AptSource,
  debianMirror,
  formatRelease,
  parseDeb822Sources,
  parseSourcesList,
} from './apt-sources.ts';
import { BuildError } from './error.ts';
import { buildDir } from './paths.ts';
import { debianRelease } from './pins.ts';

// A private apt: its own sources, lists and cache, and everything else (proxy, authentication, transport)
// from the machine's configuration, which is read and never changed.
const aptDir = join(buildDir, 'apt');
const sourcesFile = join(aptDir, 'release.sources');
const stampFile = join(aptDir, 'updated');
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
const day = 24 * 60 * 60 * 1000;

const options = [
  ['Dir::Etc::sourcelist', sourcesFile],
  ['Dir::Etc::sourceparts', '-'],
  ['Dir::Etc::preferences', '-'],
  ['Dir::Etc::preferencesparts', '-'],
  ['Dir::State', join(aptDir, 'state')],
  ['Dir::State::Lists', join(aptDir, 'state', 'lists')],
  ['Dir::Cache', join(aptDir, 'cache')],
  // Container images switch apt's own index off; without it every query parses 40 MB of lists again.
  ['Dir::Cache::pkgcache', 'pkgcache.bin'],
  ['Dir::Cache::srcpkgcache', 'srcpkgcache.bin'],
  // The build folder may lie where apt's own user cannot go; signatures are checked all the same.
  ['APT::Sandbox::User', 'root'],
  ['Acquire::Languages', 'none'],
  ['Acquire::Retries', '3'],
].flatMap(([name, value]) => ['-o', `${name}=${value}`]);

/** Every archive the machine's apt is configured with, from both file formats. */
export async function aptSources(etc = '/etc/apt'): Promise<AptSource[]> {
  const parts = await readdir(join(etc, 'sources.list.d')).catch(() => []);
  const names = ['sources.list', ...parts.sort().map((name) => join('sources.list.d', name))];
  const perFile = names.map(async (name) => {
    if (name.endsWith('.sources')) return parseDeb822Sources(await readFile(join(etc, name), 'utf8'));
    if (name.endsWith('.list'))
      return parseSourcesList(await readFile(join(etc, name), 'utf8').catch(() => ''));
    return [];
  });
  return (await Promise.all(perFile)).flat();
}

/** Downloads a binary package of the pinned release; apt checks its signature. Gives the `.deb`'s path. */
export async function fetchPackage(name: string, version: string, destDir: string): Promise<string> {
  await requireVersion(name, version);
  await mkdir(destDir, { recursive: true });
  await apt(['download', `${name}=${version}`], destDir);
  return fileIn(destDir, (file) => file.startsWith(`${name}_`) && file.endsWith('.deb'));
}

/** Downloads a source package of the pinned release, unpacking nothing. Gives the `.dsc`'s path. */
export async function fetchSource(name: string, version: string, destDir: string): Promise<string> {
  await updateLists();
  await mkdir(destDir, { recursive: true });
  try {
    await apt(['source', '--download-only', '--only-source', `${name}=${version}`], destDir);
  } catch (cause) {
    const offered = await offers(name);
    if (offered.some((offer) => offer.version === version)) throw cause;
    throw noSuchVersion(name, version, offered, cause);
  }
  return fileIn(destDir, (file) => file.startsWith(`${name}_`) && file.endsWith('.dsc'));
}

export type Offer = { readonly name: string; readonly version: string };

/** The packages of one prefix whose names match, newest first, as the release offers them now. */
export async function newestMatching(prefix: string, pattern: RegExp): Promise<Offer[]> {
  await updateLists();
  const names = (await cache(['pkgnames', prefix])).split('\n').filter((name) => pattern.test(name));
  const found = names.length === 0 ? [] : await offers(...names);
  return found.sort((a, b) => b.version.localeCompare(a.version, 'en', { numeric: true }));
}

/** What the release offers of the named packages, each in apt's order: newest first. */
export async function offers(...names: string[]): Promise<Offer[]> {
  await updateLists();
  const rows = (await cache(['madison', ...names])).split('\n').map((row) => row.split('|'));
  return rows.flatMap(([name, version]) =>
    name !== undefined && version !== undefined && names.includes(name.trim())
      ? [{ name: name.trim(), version: version.trim() }]
      : [],
  );
}

let updated: Promise<void> | undefined;

function updateLists(): Promise<void> {
  updated ??= updateOncePerDay();
  return updated;
}

async function updateOncePerDay(): Promise<void> {
  const mirror = debianMirror(await aptSources());
  if (mirror === undefined) {
    throw new BuildError(
      'NO_DEBIAN_MIRROR',
      'no debian archive in /etc/apt/sources.list or /etc/apt/sources.list.d',
    );
  }
  const text = formatRelease(mirror, debianRelease, keyring);
  const stamp = await readFile(stampFile, 'utf8').catch(() => '');
  const age =
    Date.now() -
    (await stat(stampFile).then(
      (s) => s.mtimeMs,
      () => 0,
    ));
  if (stamp === text && age < day) return;
  for (const dir of ['state/lists/partial', 'cache/archives/partial']) {
    await mkdir(join(aptDir, dir), { recursive: true });
  }
  await writeWhole(sourcesFile, text);
  await apt(['update'], aptDir);
  await writeWhole(stampFile, text);
}

// Two builds at once (a test run beside a demo) would fail on apt's own lock; they wait for each other instead.
async function apt(args: readonly string[], cwd: string): Promise<void> {
  try {
    await execa('flock', [join(aptDir, 'lock'), 'apt-get', '-q', ...options, ...args], {
      cwd,
      stdin: 'ignore',
    });
  } catch (cause) {
    throw new BuildError('COMMAND_FAILED', `apt-get ${args.join(' ')} failed`, { cause });
  }
}

async function cache(args: readonly string[]): Promise<string> {
  return (await execa('apt-cache', [...options, ...args])).stdout;
}

async function requireVersion(name: string, version: string): Promise<void> {
  const found = await offers(name);
  if (!found.some((offer) => offer.version === version)) throw noSuchVersion(name, version, found);
}

function noSuchVersion(name: string, version: string, found: readonly Offer[], cause?: unknown): BuildError {
  const offered = [...new Set(found.map((offer) => offer.version))].join(', ') || 'no version of it';
  const message = `${name} ${version} is not in debian ${debianRelease} any more: the mirror offers ${offered}`;
  return new BuildError('NO_SUCH_VERSION', `${message}; the pin is in tools/pins.ts`, { cause });
}

async function fileIn(dir: string, wanted: (file: string) => boolean): Promise<string> {
  const file = (await readdir(dir)).find(wanted);
  if (file === undefined) throw new BuildError('COMMAND_FAILED', `apt-get left no package in ${dir}`);
  return join(dir, file);
}

async function writeWhole(path: string, text: string): Promise<void> {
  const temporary = join(aptDir, `.${basename(path)}.${process.pid}.tmp`);
  await writeFile(temporary, text);
  await rename(temporary, path);
}
