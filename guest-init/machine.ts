import { statusFlags } from '../src/native/descriptors.ts';
import { unless } from '../src/native/errors.ts';
import { duplicate, open, open_ } from '../src/native/files.ts';
import { mount, ms } from '../src/native/mounts.ts';
import { mkdirAll } from '../src/native/paths.ts';
import { chdir, chroot } from '../src/native/processes.ts';
import { endMachine, syncAll } from '../src/native/system.ts';
import { during } from './error.ts';
import type { Ground } from './ground.ts';
import { settleDisks } from './made-volumes.ts';
import { openPorts } from './ports.ts';
import { settleScratch } from './root-disks.ts';

/** A virtual machine whose kernel has unpacked the initramfs and nothing more. */
export const machine: Ground = {
  ownKernel: true,
  open() {
    during('root', () => {
      leaveRootfs();
      mountBasics();
      openStandardStreams();
    });
    return during('channels', openPorts);
  },
  groups() {
    const target = '/sys/fs/cgroup';
    const flags = ms.noSuid | ms.noDev | ms.noExec;
    // A kernel without control groups has neither the file system nor a place for it.
    return unless(['ENODEV', 'ENOENT'], () => {
      mount({ source: 'cgroup2', target, type: 'cgroup2', flags });
      return { directories: [{ controller: 'unified', path: target }] };
    });
  },
  settle() {
    settleDisks();
    settleScratch();
    syncAll();
    return true;
  },
  leave() {
    endMachine('power-off');
    throw new Error('power-off returned');
  },
};

const NEW_ROOT = '/root';

/**
 * pivot_root refuses the kernel's first file system as the old root, and every app pivots. So PID 1 moves to a bind
 * mount of it, which an app's mount namespace can leave behind and detach, with all that is mounted on it.
 */
function leaveRootfs(): void {
  mkdirAll(NEW_ROOT, 0o755);
  mount({ source: '/', target: NEW_ROOT, flags: ms.bind });
  chdir(NEW_ROOT);
  mount({ source: '.', target: '/', flags: ms.move });
  chroot('.');
}

const basics = [
  { type: 'proc', target: '/proc', flags: ms.noSuid | ms.noDev | ms.noExec },
  { type: 'sysfs', target: '/sys', flags: ms.noSuid | ms.noDev | ms.noExec },
  { type: 'devtmpfs', target: '/dev', flags: ms.noSuid },
] as const;

function mountBasics(): void {
  for (const basic of basics) {
    mkdirAll(basic.target, 0o755);
    mount({ source: basic.type, ...basic });
  }
}

/** An initramfs without /dev/console leaves PID 1 without 0, 1 and 2; whatever is opened next would get their place. */
function openStandardStreams(): void {
  if (unless(['EBADF'], () => statusFlags(2)) !== undefined) return;
  const fd =
    unless(['ENOENT', 'ENODEV', 'ENXIO', 'EIO'], () => open('/dev/console', open_.readWrite)) ??
    open('/dev/null', open_.readWrite);
  for (const standard of [0, 1, 2]) if (fd !== standard) duplicate(fd, standard, false);
}
