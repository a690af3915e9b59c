/**
 * The memory of a machine, as a file in a file system in memory that only its QEMU has: QEMU's as soon as it starts, filled by a child
 * meanwhile, on account of the pod's control group.
 */

import { Packer } from '../src/native/bytes.ts';
import { writeControl } from '../src/native/contents.ts';
import { exit } from '../src/native/engine.ts';
import { hasCode } from '../src/native/errors.ts';
import { close, File, open, open_, truncate } from '../src/native/files.ts';
import { mount, ms, unmount } from '../src/native/mounts.ts';
import { chown, mkdirAll } from '../src/native/paths.ts';
import { setParentDeathSignal } from '../src/native/privileges.ts';
import { fork } from '../src/native/processes.ts';
import { signals } from '../src/native/signals.ts';
import { call } from '../src/native/syscall.ts';
import { MEMORY_FILE } from './template-arguments.ts';
import type { OpenTemplate } from './template-store.ts';

const EXIT_FAILED = 1;

/** At `place`, in this process's mount namespace. `id` is QEMU's. */
export function mountMemoryFile(place: string, memoryMiB: number, id: number): void {
  mkdirAll(place, 0o700);
  mount({
    source: 'memory',
    target: place,
    type: 'tmpfs',
    flags: ms.noSuid | ms.noDev | ms.noExec,
    data: `mode=700,uid=${id},gid=${id},size=${memoryMiB}m,nr_inodes=3`,
  });
  const path = `${place}/${MEMORY_FILE}`;
  const fd = open(path, open_.writeOnly | open_.create | open_.exclusive, 0o600);
  truncate(fd, memoryMiB * 1024 * 1024);
  close(fd);
  chown(path, id, id);
}

export function unmountMemoryFile(place: string): void {
  try {
    unmount(place, 'detach');
  } catch (error) {
    if (!hasCode(error, 'EINVAL', 'ENOENT')) throw error;
  }
}

/** The pid of a child that ends with 0 when the memory is there. */
export function fillMemory(place: string, template: OpenTemplate, cgroupFiles: readonly string[]): number {
  const pid = fork();
  if (pid !== 0) return pid;
  let code = EXIT_FAILED;
  try {
    setParentDeathSignal(signals.SIGKILL);
    for (const path of cgroupFiles) writeControl(path, '0');
    using memory = File.open(`${place}/${MEMORY_FILE}`, open_.readWrite);
    copyRegions(template, memory.fd);
    code = 0;
  } finally {
    exit(code);
  }
  throw new Error('unreachable');
}

function copyRegions({ memory, record: { regions } }: OpenTemplate, to: number): void {
  for (let index = 0; index + 1 < regions.length; index += 2) {
    const [offset = 0, length = 0] = [regions[index], regions[index + 1]];
    call('lseek', to, offset, 0);
    // The kernel moves the offset on.
    const from = new Packer(8).u64(offset).finish();
    for (let left = length; left > 0; ) {
      const copied = call('sendfile', to, memory, from, left);
      if (copied === 0) throw new RangeError('the memory has become shorter');
      left -= copied;
    }
  }
}
