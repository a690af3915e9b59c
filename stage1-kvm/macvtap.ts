import { readText } from '../src/native/contents.ts';
import { open, open_ } from '../src/native/files.ts';
import { mount, ms, unmount } from '../src/native/mounts.ts';
import { mkdir, mknod } from '../src/native/paths.ts';
import { KERNEL_DIRECTORY } from './vmm.ts';

/**
 * The queues of a macvtap of the current network namespace. Its device is called after the interface's index, which one of another
 * namespace may have, too: so it is not looked for in /dev but made, by the number that sysfs tells this namespace.
 */
export function openMacvtap(name: string, index: number, queues: number): number[] {
  // Over any directory that may be hidden.
  const place = KERNEL_DIRECTORY;
  mount({ source: 'macvtap', target: place, type: 'tmpfs', flags: ms.noSuid | ms.noExec, data: 'mode=700' });
  try {
    mkdir(`${place}/sys`, 0o700);
    mount({ source: 'sysfs', target: `${place}/sys`, type: 'sysfs', flags: ms.readOnly });
    const device = readText(`${place}/sys/class/net/${name}/tap${index}/dev`);
    const [major = 0, minor = 0] = device.split(':').map(Number);
    mknod(`${place}/tap`, 'char', 0o600, { major, minor });
    const flags = open_.readWrite | open_.nonBlocking;
    return Array.from({ length: queues }, () => open(`${place}/tap`, flags));
  } finally {
    unmount(place, 'detach');
  }
}
