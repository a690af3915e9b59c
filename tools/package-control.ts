import { createHash } from 'node:crypto';
import type { PackageVersion } from './package-contents.ts';
import { packagesOf } from './packages.mjs';
import type { Entry } from './stage1/entry.ts';

/** What the launcher checks as well: the `node` in PATH need not be the package's. */
const NODE = 'nodejs (>= 20.6)';
/** What else would do. */
const ALTERNATIVES: Readonly<Record<string, string>> = {
  // Up to 7.2 QEMU's common files hold it.
  virtiofsd: 'virtiofsd | qemu-system-common (<< 1:8)',
  // Plugins take the one that is there.
  nftables: 'nftables | iptables',
};

/** Debian's names of what rkt needs to run. */
export function dependencies(): string[] {
  const programs = packagesOf('run').map((name) => ALTERNATIVES[name] ?? name);
  return ['libc6', NODE, 'passwd', ...programs];
}

/** The file `control` of a binary package (deb-control(5)). */
export function controlText({ debian, maintainer }: PackageVersion, entries: readonly Entry[]): string {
  const fields = {
    Package: 'rkt',
    Version: debian,
    Architecture: 'amd64',
    Maintainer: maintainer,
    'Installed-Size': String(installedKilobytes(entries)),
    Depends: dependencies().join(', '),
    Recommends: 'ca-certificates',
    Section: 'admin',
    Priority: 'optional',
    Description: [
      'container runtime without a daemon: each pod in its own virtual machine',
      ' rkt runs pods, groups of apps from container images (appc, OCI, Docker), each',
      ' pod in a virtual machine of its own, from one command. It has the command',
      ' line and the formats of CoreOS rkt.',
    ].join('\n'),
  };
  return Object.entries(fields)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join('');
}

/** The file `md5sums`, by which `dpkg --verify` finds what has changed. */
export function checksums(entries: readonly Entry[]): string {
  return entries
    .flatMap((entry) => (entry.kind === 'file' ? [`${md5(entry.bytes)}  ${entry.path}\n`] : []))
    .join('');
}

/** `2.0.0-dev` comes before `2.0.0`, which in Debian a tilde says. */
export function debianVersion(rkt: string): string {
  return rkt.replace('-', '~');
}

function installedKilobytes(entries: readonly Entry[]): number {
  const sizes = entries.map((entry) => (entry.kind === 'file' ? Math.ceil(entry.bytes.length / 1024) : 1));
  return sizes.reduce((sum, size) => sum + size, 0);
}

function md5(bytes: Uint8Array): string {
  return createHash('md5').update(bytes).digest('hex');
}
