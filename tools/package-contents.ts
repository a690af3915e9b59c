import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { PLUGIN_NAMES } from '../cni-plugins/names.ts';
import { COMPLETION_SCRIPTS } from '../src/cli/completion-scripts.ts';
import { licences } from './package-licences.ts';
import { artefacts, COMMAND_PARTS, commandPart, rootDir } from './paths.ts';
import { type Entry, file, symlink } from './stage1/entry.ts';

/** Where the command's own files are. The vendor's configuration is there, too, as rkt has it. */
const HOME = 'usr/lib/rkt';
const EXECUTABLE = 0o755;

/** `from` is relative to the project. */
interface Copy {
  readonly from: string;
  readonly to: string;
  readonly mode?: number;
}

const COPIES: readonly Copy[] = [
  { from: 'bin/rkt', to: `${HOME}/bin/rkt`, mode: EXECUTABLE },
  { from: 'tools/code-cache.mjs', to: `${HOME}/code-cache.mjs` },
  { from: 'tools/package/paths.json', to: `${HOME}/paths.d/paths.json` },
  { from: 'tools/package/rkt-gc.service', to: 'usr/lib/systemd/system/rkt-gc.service' },
  { from: 'tools/package/rkt-gc.timer', to: 'usr/lib/systemd/system/rkt-gc.timer' },
  { from: 'tools/package/rkt-metadata.service', to: 'usr/lib/systemd/system/rkt-metadata.service' },
  { from: 'tools/package/rkt-metadata.socket', to: 'usr/lib/systemd/system/rkt-metadata.socket' },
  { from: 'tools/package/sysusers.conf', to: 'usr/lib/sysusers.d/rkt.conf' },
  { from: 'tools/package/tmpfiles.conf', to: 'usr/lib/tmpfiles.d/rkt.conf' },
  // The one for this architecture and libc: rkt's packages are for Debian.
  ...['package.json', 'linux_x64/koffi.node'].map((path) => ({
    from: `node_modules/@koromix/koffi-linux-x64/${path}`,
    to: `${HOME}/node_modules/@koromix/koffi-linux-x64/${path}`,
  })),
];

export interface PackageVersion {
  /** rkt's: `2.0.0-dev`. */
  readonly rkt: string;
  /** Debian's: `2.0.0~dev`. */
  readonly debian: string;
  readonly maintainer: string;
  /** Seconds since 1970. */
  readonly date: number;
}

/** All files of the package, by path: every directory that is above one is understood. */
export async function packageContents(version: PackageVersion): Promise<Entry[]> {
  const copies = await Promise.all(
    COPIES.map(async ({ from, to, mode }) => file(to, await readFile(join(rootDir, from)), mode)),
  );
  const entries = [...copies, ...(await programs(version)), ...(await manual()), ...documents(version)];
  const copyright = file('usr/share/doc/rkt/copyright', await copyrightText());
  return [...entries, copyright].sort((a, b) => (a.path < b.path ? -1 : 1));
}

async function programs({ rkt }: PackageVersion): Promise<Entry[]> {
  return [
    symlink('usr/bin/rkt', '../lib/rkt/bin/rkt'),
    ...(await Promise.all([artefacts.rktBundle, ...COMMAND_PARTS.map(commandPart)].map(bundled))),
    file(`${HOME}/bin/rkt-mount`, await readFile(artefacts.rktMount), EXECUTABLE),
    file(`${HOME}/bin/metadata-service`, await readFile(artefacts.metadataService), EXECUTABLE),
    file(`${HOME}/bin/cni-plugins`, await readFile(artefacts.cniPlugins), EXECUTABLE),
    // Where rkt had its own.
    ...PLUGIN_NAMES.map((name) => symlink(`${HOME}/plugins/net/${name}`, '../../bin/cni-plugins')),
    file(`${HOME}/stage1-images/stage1-kvm.aci`, await readFile(artefacts.stage1Kvm)),
    file(`${HOME}/stage1-images/stage1-ns.aci`, await readFile(artefacts.stage1Ns)),
    file(`${HOME}/stage1-images/stage1-fly.aci`, await readFile(artefacts.stage1Fly)),
    // Where the command finds its version.
    file(`${HOME}/package.json`, text(`${JSON.stringify({ name: 'rkt', version: rkt })}\n`)),
  ];
}

async function bundled(path: string): Promise<Entry> {
  return file(`${HOME}/${basename(path)}`, await readFile(path));
}

async function manual(): Promise<Entry[]> {
  const folder = join(rootDir, 'docs/man');
  const pages = (await readdir(folder)).sort();
  return Promise.all(
    pages.map(async (name) =>
      file(`usr/share/man/man1/${name}.gz`, compressed(await readFile(join(folder, name)))),
    ),
  );
}

function documents(version: PackageVersion): Entry[] {
  return [
    file('usr/share/bash-completion/completions/rkt', text(COMPLETION_SCRIPTS.bash)),
    file('usr/share/zsh/vendor-completions/_rkt', text(COMPLETION_SCRIPTS.zsh)),
    file('usr/share/fish/vendor_completions.d/rkt.fish', text(COMPLETION_SCRIPTS.fish)),
    file('usr/share/doc/rkt/changelog.gz', compressed(text(changelog(version)))),
  ];
}

/** As Debian wants it; what is new is told in the project's own. */
function changelog({ debian, maintainer, date }: PackageVersion): string {
  const day = new Date(date * 1000).toUTCString().replace('GMT', '+0000');
  return `rkt (${debian}) unstable; urgency=medium\n\n  * Built from rkt's sources.\n\n -- ${maintainer}  ${day}\n`;
}

async function copyrightText(): Promise<Uint8Array> {
  const notice = await readFile(join(rootDir, 'NOTICE'), 'utf8');
  const where =
    'The Apache License 2.0 is in /usr/share/common-licenses/Apache-2.0, the GNU General Public License';
  return text(`${notice}\n${where}\nversion 2 in /usr/share/common-licenses/GPL-2.\n\n${await licences()}`);
}

/** Without a name or a time: the same bytes from the same text. */
function compressed(bytes: Uint8Array): Uint8Array {
  return gzipSync(bytes, { level: 9 });
}

function text(content: string): Uint8Array {
  return Buffer.from(content);
}
