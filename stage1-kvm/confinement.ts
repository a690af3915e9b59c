/**
 * What stands between a guest that has taken over its QEMU, or virtiofsd, and the host; as data. The order matters:
 * each step needs privileges that a later one gives up, and changing ids clears the parent-death signal.
 */
import type { Step } from '../src/native/spawn-steps.ts';
import { SHARE_FILES } from './vmm.ts';

/** Builds QEMU's root, in order; `target` is relative to that root. */
export type RootEntry =
  | { readonly kind: 'directory'; readonly target: string }
  | { readonly kind: 'symlink'; readonly target: string; readonly to: string }
  /** Read-only, with all that is mounted below. */
  | {
      readonly kind: 'bind';
      readonly target: string;
      readonly source: string;
      readonly of: 'directory' | 'file';
    }
  | {
      readonly kind: 'device';
      readonly target: string;
      readonly major: number;
      readonly minor: number;
      readonly mode: number;
      readonly gid: number;
    };

export interface HostPaths {
  /** The directories of the host's root that programs and their libraries are in, with the target of those that are symlinks. */
  readonly system: readonly { readonly name: string; readonly linkTo: string | undefined }[];
  readonly linkerCache: boolean;
}

/** Top-level names that a dynamically linked program may need. */
export const SYSTEM_NAMES = ['usr', 'lib', 'lib32', 'lib64', 'libx32'] as const;

/** All that QEMU needs of a file system: its libraries and firmware, the kernel and initramfs, and a few devices. */
export function qemuRoot(host: HostPaths, kernelDirectory: string, gid: number, kvm: boolean): RootEntry[] {
  return [
    ...host.system.map(
      ({ name, linkTo }): RootEntry =>
        linkTo === undefined
          ? { kind: 'bind', target: name, source: `/${name}`, of: 'directory' }
          : { kind: 'symlink', target: name, to: linkTo },
    ),
    { kind: 'directory', target: 'etc' },
    ...(host.linkerCache
      ? [{ kind: 'bind', target: 'etc/ld.so.cache', source: '/etc/ld.so.cache', of: 'file' } as const]
      : []),
    { kind: 'bind', target: 'vm', source: kernelDirectory, of: 'directory' },
    { kind: 'directory', target: 'dev' },
    { kind: 'device', target: 'dev/null', major: 1, minor: 3, mode: 0o666, gid: 0 },
    { kind: 'device', target: 'dev/zero', major: 1, minor: 5, mode: 0o666, gid: 0 },
    { kind: 'device', target: 'dev/urandom', major: 1, minor: 9, mode: 0o444, gid: 0 },
    ...(kvm ? [{ kind: 'device', target: 'dev/kvm', major: 10, minor: 232, mode: 0o660, gid } as const] : []),
  ];
}

export interface QemuConfinement {
  /** The uid, and the gid, of the pod's QEMU. */
  readonly id: number;
  /** Control files of the pod's cgroups, to each of which the process adds itself. */
  readonly cgroupFiles: readonly string[];
  readonly enterRoot: () => void;
}

/** In the pod's network namespace, where the supervisor is already. */
export function qemuSteps({ id, cgroupFiles, enterRoot }: QemuConfinement): Step[] {
  return [
    ...joinCgroups(cgroupFiles),
    ...leaveTerminal(),
    { do: 'unshare', kinds: ['mount', 'ipc'] },
    { do: 'call', name: 'root', action: enterRoot },
    // A core would hold the guest's memory.
    { do: 'limit', resource: 'core', limit: { soft: 0, hard: 0 } },
    { do: 'bounding-set', capabilities: [] },
    { do: 'groups', gids: [] },
    { do: 'gid', gid: id },
    { do: 'uid', uid: id },
    { do: 'no-new-privileges' },
    { do: 'parent-death-signal', signal: 'SIGKILL' },
  ];
}

export interface ShareConfinement {
  /** A user namespace, by fd; undefined where the host does not allow one. */
  readonly userNamespace: number | undefined;
  readonly cgroupFiles: readonly string[];
  /** The most files that this process may be allowed. */
  readonly hardLimit: number;
}

/**
 * virtiofsd makes files for the guest's users, so it stays root; in a user namespace that has power over files
 * only, none over the host. Its own sandbox then shuts it into the shared directory.
 */
export function shareSteps({ userNamespace, cgroupFiles, hardLimit }: ShareConfinement): Step[] {
  const files = Math.min(SHARE_FILES, hardLimit);
  return [
    ...joinCgroups(cgroupFiles),
    ...leaveTerminal(),
    { do: 'limit', resource: 'nofile', limit: { soft: files, hard: files } },
    { do: 'limit', resource: 'core', limit: { soft: 0, hard: 0 } },
    ...(userNamespace === undefined
      ? []
      : [{ do: 'enter-namespace', fd: userNamespace, kinds: ['user'] } as const]),
    { do: 'umask', mask: 0 },
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
