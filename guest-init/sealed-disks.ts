/** Disks of which nothing is believed but what their seal says: whatever else is read of them is an error of input to who reads it. */
import type { CheckedSeal, RootDiskPlan } from '../src/abi/boot-plan.ts';
import { mapReadOnly } from '../src/native/device-mapper.ts';
import { hasCode } from '../src/native/errors.ts';
import type { Loop } from '../src/native/loop.ts';
import { openKernelEvents, readKernelEvent } from '../src/native/netlink/kernel-events.ts';
import { exists } from '../src/native/stat.ts';
import { InitError } from './error.ts';

const BLOCK_BYTES = 4096;
const SECTORS_A_BLOCK = BLOCK_BYTES / 512;

export type SealedDiskPlan = Extract<RootDiskPlan, { kind: 'image' }> & { readonly seal: CheckedSeal };

export function isSealed(disk: RootDiskPlan): disk is SealedDiskPlan {
  return disk.kind === 'image' && disk.seal !== null;
}

/** Serial numbers by what their checked devices are called. */
const sealed = new Map<string, string>();

/** Gives the path of a device of the same content, which is checked when it is read. @throws InitError `disks` where the kernel cannot */
export function checkedDisk(serial: string, device: string, seal: CheckedSeal): string {
  try {
    const path = mapReadOnly(serial, {
      type: 'verity',
      sectors: seal.blocks * SECTORS_A_BLOCK,
      parameters: verityParameters(device, seal),
    });
    sealed.set(path.replace('/dev/', ''), serial);
    return path;
  } catch (cause) {
    if (!hasCode(cause, 'ENOENT') && !hasCode(cause, 'EINVAL')) throw cause;
    throw new InitError('disks', `${serial} cannot be checked: ${refusalOf(cause)}`, { cause });
  }
}

/** Version 1: salt first; data and hashes on the same device, in blocks of the same size. */
export function verityParameters(device: string, { blocks, salt, rootHash, algorithm }: CheckedSeal): string {
  const sizes = [BLOCK_BYTES, BLOCK_BYTES, blocks, blocks];
  return ['1', device, device, ...sizes, algorithm, rootHash, salt].join(' ');
}

function refusalOf(cause: Error): string {
  return exists('/dev/mapper/control') && exists('/sys/module/dm_verity')
    ? cause.message
    : "this machine's kernel has no dm-verity, which the configuration of kind vm asks for";
}

/** Tells of every block that is not what it was; the kernel itself stops after a hundred of a disk. Gives what tells of those before the loop runs. */
export function watchSealed(loop: Loop, say: (message: string) => void): () => void {
  const fd = openKernelEvents();
  const readable = () => {
    for (let event = readKernelEvent(fd); event !== undefined; event = readKernelEvent(fd)) {
      const serial = sealed.get(event.get('DEVNAME') ?? '');
      const [, kind, block] = /^([01]),(\d+)$/.exec(event.get('DM_VERITY_ERR_BLOCK_NR') ?? '') ?? [];
      if (serial !== undefined && block !== undefined) say(damage(serial, kind === '1', block));
    }
  };
  loop.watch(fd, { readable });
  return readable;
}

/** The kernel counts hashes in blocks of the device, as data. */
function damage(serial: string, isHash: boolean, block: string): string {
  return `${serial}: block ${block}${isHash ? ', of hashes,' : ''} is not what was made of it: what it holds cannot be read`;
}
