/** Devices that the kernel's device mapper makes of others (linux/dm-ioctl.h). */
import { Packer, Unpacker } from './bytes.ts';
import { ioctl } from './descriptors.ts';
import { utf8Encode } from './engine.ts';
import { File, open_ } from './files.ts';

/** What the whole device is. */
export interface Target {
  /** `verity`. */
  readonly type: string;
  /** Of 512 bytes. */
  readonly sectors: number;
  readonly parameters: string;
}

const CONTROL = '/dev/mapper/control';
const VERSION = 4;
const HEADER_BYTES = 312;
const TARGET_BYTES = 40;
const SIZE_AT = 12;
const DEVICE_AT = 40;
const NAME_BYTES = 128;
const UUID_BYTES = 129;
const READ_ONLY = 1;
/** `_IOWR(0xfd, ..., struct dm_ioctl)`; the third of them resumes where it is not told to suspend. */
const request = (command: number) => 0xc0000000 + HEADER_BYTES * 2 ** 16 + 0xfd00 + command;
const CREATE = request(3);
const REMOVE = request(4);
const RESUME = request(6);
const LOAD = request(9);

/** Gives the path of a device that is there then, and only to be read. @throws SystemError `ENOENT` where there is no device mapper */
export function mapReadOnly(name: string, target: Target): string {
  using control = File.open(CONTROL, open_.readWrite);
  const created = order(name, { flags: READ_ONLY });
  ioctl(control.fd, CREATE, created);
  try {
    ioctl(control.fd, LOAD, order(name, { flags: READ_ONLY, target }));
    ioctl(control.fd, RESUME, order(name, { flags: READ_ONLY }));
  } catch (error) {
    ioctl(control.fd, REMOVE, order(name, { flags: 0 }));
    throw error;
  }
  return `/dev/dm-${minorOf(new Unpacker(created, DEVICE_AT).u64())}`;
}

/** struct dm_ioctl, and behind it what a device's one target is. */
export function order(name: string, { flags, target }: { flags: number; target?: Target }): Uint8Array {
  const packed = new Packer(HEADER_BYTES + TARGET_BYTES)
    .u32(VERSION)
    .zeros(8)
    // All of it, known in the end; and where the target is.
    .u32(0)
    .u32(HEADER_BYTES)
    .u32(target === undefined ? 0 : 1)
    .zeros(4)
    .u32(flags)
    .zeros(DEVICE_AT - 32)
    .u64(0)
    .text(name, NAME_BYTES)
    .zeros(UUID_BYTES)
    .zeros(HEADER_BYTES - DEVICE_AT - 8 - NAME_BYTES - UUID_BYTES);
  if (target !== undefined) {
    const parameters = utf8Encode(target.parameters);
    packed.u64(0).u64(target.sectors).u32(0).u32(0).text(target.type, 16).bytes(parameters).u8(0).align(8);
  }
  return packed.patchU32(SIZE_AT, packed.length).finish();
}

/** The kernel's "huge" encoding of a device's numbers. */
export function minorOf(device: number): number {
  return (device % 0x100) + (Math.floor(device / 0x100000) % 0x1000) * 0x100;
}
