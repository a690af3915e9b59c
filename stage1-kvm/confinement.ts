/**
 * What stands between a guest that has taken over its QEMU, or virtiofsd, and the host; as data. The order matters:
 * each step needs privileges that a later one gives up, and changing ids clears the parent-death signal.
 */
import type { NamespaceKind } from '../src/native/mounts.ts';
import type { Step } from '../src/native/spawn-steps.ts';
import { type HostPaths, programsAndLibraries } from '../src/supervisor/host-programs.ts';
import type { RootEntry } from '../src/supervisor/own-root.ts';
import { memoryFilter } from './memory-filter.ts';
import { socketFilter } from './socket-filter.ts';
import { SHARE_FILES, SHARE_PATH } from './vmm.ts';

export interface QemuSurroundings {
  /** Absent: it needs no kernel. */
  readonly kernelDirectory?: string;
  /** Where its memory is, if that is a file of its own. */
  readonly memory?: { readonly source: string; readonly target: string };
  readonly gid: number;
  readonly kvm: boolean;
  /** Of its own resolver, if it has one. */
  readonly resolvConf: string | undefined;
}

/** All that QEMU needs of a file system: its libraries and firmware, the kernel and initramfs, and a few devices. */
export function qemuRoot(
  host: HostPaths,
  { kernelDirectory, memory, gid, kvm, resolvConf }: QemuSurroundings,
): RootEntry[] {
  return [
    ...programsAndLibraries(host),
    ...(resolvConf === undefined
      ? []
      : [{ kind: 'file', target: 'etc/resolv.conf', text: resolvConf } as const]),
    ...(kernelDirectory === undefined
      ? []
      : [{ kind: 'bind', target: 'vm', source: kernelDirectory, of: 'directory' } as const]),
    ...(memory === undefined ? [] : [{ kind: 'share', ...memory } as const]),
    { kind: 'directory', target: 'dev' },
    { kind: 'device', target: 'dev/null', major: 1, minor: 3, mode: 0o666, gid: 0 },
    { kind: 'device', target: 'dev/zero', major: 1, minor: 5, mode: 0o666, gid: 0 },
    { kind: 'device', target: 'dev/urandom', major: 1, minor: 9, mode: 0o444, gid: 0 },
    ...(kvm ? [{ kind: 'device', target: 'dev/kvm', major: 10, minor: 232, mode: 0o660, gid } as const] : []),
  ];
}

/**
 * All that virtiofsd needs: its libraries, the share, and its own file descriptors as procfs shows them. Not the rest of procfs:
 * it keeps a fd of that, by which it finds the settings of the machine, and these ask for the uid 0 only, which a user namespace
 * does not take away. Each version reads one of them when it starts, C's `file-max` and Rust's `nr_open`, for a limit that it is
 * told not to set.
 */
export function shareRoot(host: HostPaths, shareDirectory: string): RootEntry[] {
  return [
    ...programsAndLibraries(host),
    { kind: 'share', target: SHARE_PATH.slice(1), source: shareDirectory },
    { kind: 'proc', target: 'processes', of: 'processes' },
    ...['proc', 'proc/sys', 'proc/sys/fs'].map((target): RootEntry => ({ kind: 'directory', target })),
    { kind: 'symlink', target: 'proc/self', to: '../processes/self' },
    { kind: 'file', target: 'proc/sys/fs/file-max', text: '1000000\n' },
    { kind: 'file', target: 'proc/sys/fs/nr_open', text: '1000000\n' },
  ];
}

/**
 * New for QEMU, which is in the pod's network namespace already, or enters the host's. In a pid namespace it can signal and trace
 * nobody: not even a QEMU of the same uid, as pods of two data directories may be.
 */
export const QEMU_NAMESPACES: readonly NamespaceKind[] = ['mount', 'pid', 'ipc'];

export interface QemuConfinement {
  /** The uid, and the gid, of the pod's QEMU. */
  readonly id: number;
  /** Control files of the pod's cgroups, to each of which the process adds itself. */
  readonly cgroupFiles: readonly string[];
  /** Where QEMU is to be in the host's network: its namespace, by fd, and the most files that QEMU may be allowed. */
  readonly hostNetwork: { readonly namespace: number; readonly hardLimit: number } | undefined;
  /** Its memory is a template's. */
  readonly hasTemplate: boolean;
  readonly enterRoot: () => void;
}

/** Each of the guest's connections is then a file of QEMU's, which looks at all of them whenever one has something. */
const HOST_NETWORK_FILES = 16384;

export function qemuSteps({ id, cgroupFiles, hostNetwork, hasTemplate, enterRoot }: QemuConfinement): Step[] {
  return [
    ...joinCgroups(cgroupFiles),
    ...leaveTerminal(),
    ...(hostNetwork === undefined ? [] : enterHostNetwork(hostNetwork)),
    { do: 'call', name: 'root', action: enterRoot },
    // A core would hold the guest's memory.
    { do: 'limit', resource: 'core', limit: { soft: 0, hard: 0 } },
    { do: 'bounding-set', capabilities: [] },
    { do: 'groups', gids: [] },
    { do: 'gid', gid: id },
    { do: 'uid', uid: id },
    { do: 'no-new-privileges' },
    ...(hostNetwork === undefined ? [] : [{ do: 'seccomp', program: socketFilter() } as const]),
    ...(hasTemplate ? [{ do: 'seccomp', program: memoryFilter() } as const] : []),
    { do: 'parent-death-signal', signal: 'SIGKILL' },
  ];
}

function enterHostNetwork({ namespace, hardLimit }: NonNullable<QemuConfinement['hostNetwork']>): Step[] {
  const files = Math.min(HOST_NETWORK_FILES, hardLimit);
  return [
    { do: 'enter-namespace', fd: namespace, kinds: ['network'] },
    { do: 'limit', resource: 'nofile', limit: { soft: files, hard: files } },
  ];
}

/**
 * New for virtiofsd. Its user namespace owns none of them: whatever virtiofsd becomes, it has no power to mount or to configure
 * in them. As the first process of a pid namespace it is alone in there, and whoever kills it kills all of it.
 */
export const SHARE_NAMESPACES: readonly NamespaceKind[] = ['mount', 'pid', 'network', 'ipc'];

export interface ShareConfinement {
  /** A user namespace, by fd; undefined where the host does not allow one. */
  readonly userNamespace: number | undefined;
  readonly cgroupFiles: readonly string[];
  /** The most files that this process may be allowed. */
  readonly hardLimit: number;
  readonly enterRoot: () => void;
}

/**
 * virtiofsd makes files for the guest's users, so it stays root. To the host it is one wherever only the uid is asked for; so it
 * is kept from seeing anything of the host, and in a user namespace it has no capabilities outside. It then makes the share its
 * root itself.
 */
export function shareSteps({ userNamespace, cgroupFiles, hardLimit, enterRoot }: ShareConfinement): Step[] {
  const files = Math.min(SHARE_FILES, hardLimit);
  return [
    ...joinCgroups(cgroupFiles),
    ...leaveTerminal(),
    { do: 'limit', resource: 'nofile', limit: { soft: files, hard: files } },
    { do: 'limit', resource: 'core', limit: { soft: 0, hard: 0 } },
    { do: 'call', name: 'root', action: enterRoot },
    ...(userNamespace === undefined
      ? []
      : [{ do: 'enter-namespace', fd: userNamespace, kinds: ['user'] } as const]),
    { do: 'umask', mask: 0 },
    { do: 'no-new-privileges' },
    { do: 'parent-death-signal', signal: 'SIGKILL' },
  ];
}

// Ctrl-C at the caller's terminal is for the supervisor, which ends the pod in order: it must not reach these two.
function leaveTerminal(): Step[] {
  return [{ do: 'session' }];
}

function joinCgroups(files: readonly string[]): Step[] {
  return files.map((path) => ({ do: 'write', path, text: '0' }));
}
