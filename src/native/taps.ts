/** Taps: network interfaces whose cable is a fd. */
import { Packer } from './bytes.ts';
import { ioctl } from './descriptors.ts';
import { unless } from './errors.ts';
import { close, open, open_ } from './files.ts';

const TUNSETIFF = 0x400454ca;
const TUNSETPERSIST = 0x400454cb;
const TUNSETOWNER = 0x400454cc;
const TUNSETGROUP = 0x400454ce;
const IFF_TAP = 0x0002;
const IFF_NO_PI = 0x1000;
const IFF_MULTI_QUEUE = 0x0100;
const IFF_VNET_HDR = 0x4000;
const NAME_BYTES = 16;
const REQUEST_BYTES = 40;

/**
 * Makes a tap in the current network namespace, with as many queues, so that as many processors can work at once; each is a fd.
 * It lives for as long as one of these, which QEMU may inherit; frames carry a virtio header, so that checksums and segmentation
 * can be left to the other side.
 */
export function openTap(name: string, count: number): number[] {
  const flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | (count > 1 ? IFF_MULTI_QUEUE : 0);
  return Array.from({ length: count }, () => attach(name, flags));
}

const TUNSETQUEUE = 0x400454d9;
const IFF_ATTACH_QUEUE = 0x0200;

/** A queue that somebody who had the tap before has let rest; others stay as they are, and so does a fd that is none. */
export function wakeQueue(fd: number): void {
  const request = new Packer(REQUEST_BYTES).zeros(NAME_BYTES).u16(IFF_ATTACH_QUEUE);
  unless(['EINVAL', 'ENOTTY', 'EBADFD'], () =>
    ioctl(fd, TUNSETQUEUE, request.zeros(REQUEST_BYTES - request.length).finish()),
  );
}

export interface TapOptions {
  /** Whether several fds may have queues of it. */
  readonly multiQueue?: boolean;
  /** The ids of who may open it beside root. */
  readonly owner?: number | undefined;
  readonly group?: number | undefined;
}

/** Makes a tap that stays, until it is deleted or its namespace ends. EBUSY where there is one of this name that somebody has. */
export function makeTap(name: string, { multiQueue, owner, group }: TapOptions): void {
  const fd = attach(name, IFF_TAP | IFF_NO_PI | IFF_VNET_HDR | (multiQueue === true ? IFF_MULTI_QUEUE : 0));
  try {
    if (owner !== undefined) ioctl(fd, TUNSETOWNER, owner);
    if (group !== undefined) ioctl(fd, TUNSETGROUP, group);
    ioctl(fd, TUNSETPERSIST, 1);
  } finally {
    close(fd);
  }
}

function attach(name: string, flags: number): number {
  const fd = open('/dev/net/tun', open_.readWrite | open_.nonBlocking);
  try {
    const request = new Packer(REQUEST_BYTES).text(name, NAME_BYTES).u16(flags);
    ioctl(fd, TUNSETIFF, request.zeros(REQUEST_BYTES - request.length).finish());
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}
