/** The programs of the host that a machine needs, and where distributions put them. */
import { access } from '../src/native/paths.ts';
import { KvmError } from './error.ts';

export interface Programs {
  readonly qemu: string;
  readonly firmware: string;
  /** Undefined where there is nothing to share. */
  readonly virtiofsd: Virtiofsd | undefined;
}

/** The one written in C came with QEMU up to 7.2; the one in Rust has other options. */
export type VirtiofsdKind = 'c' | 'rust';

export interface Virtiofsd {
  readonly kind: VirtiofsdKind;
  readonly path: string;
}

const QEMU = ['/usr/bin/qemu-system-x86_64', '/usr/local/bin/qemu-system-x86_64', '/usr/libexec/qemu-kvm'];
/** Not the SeaBIOS that newer QEMUs pick for this machine: it shows the kernel no PCI bus. */
const FIRMWARE = [
  '/usr/share/qemu/qboot.rom',
  '/usr/share/seabios/qboot.rom',
  '/usr/local/share/qemu/qboot.rom',
];
const VIRTIOFSD: readonly Virtiofsd[] = [
  { kind: 'rust', path: '/usr/libexec/virtiofsd' },
  { kind: 'rust', path: '/usr/lib/virtiofsd' },
  { kind: 'c', path: '/usr/lib/qemu/virtiofsd' },
];

/** @throws KvmError `unsupported`, saying what to install */
export function findPrograms(hasShare: boolean): Programs {
  return {
    qemu: found('qemu-system-x86_64', QEMU, 'execute', 'qemu-system-x86'),
    firmware: found('the firmware qboot.rom', FIRMWARE, 'read', 'qemu-system-data'),
    virtiofsd: hasShare ? findVirtiofsd() : undefined,
  };
}

function findVirtiofsd(): Virtiofsd {
  const found = VIRTIOFSD.find(({ path }) => access(path, 'execute'));
  const paths = VIRTIOFSD.map(({ path }) => path);
  return found ?? missing('virtiofsd', paths, 'virtiofsd (Debian 12: qemu-system-common)');
}

function found(what: string, paths: readonly string[], permission: 'execute' | 'read', from: string): string {
  return paths.find((path) => access(path, permission)) ?? missing(what, paths, from);
}

function missing(what: string, paths: readonly string[], from: string): never {
  throw new KvmError(
    'unsupported',
    `${what} is not installed (looked for ${paths.join(', ')}): install ${from}`,
  );
}
