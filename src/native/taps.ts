/** Taps: network interfaces whose cable is a fd. */
import { Packer } from './bytes.ts';
import { ioctl } from './descriptors.ts';
import { close, open, open_ } from './files.ts';

const TUNSETIFF = 0x400454ca;
const IFF_TAP = 0x0002;
const IFF_NO_PI = 0x1000;
const IFF_VNET_HDR = 0x4000;
const NAME_BYTES = 16;
const REQUEST_BYTES = 40;

/**
 * Makes a tap in the current network namespace. It lives for as long as the fd, which QEMU may inherit; frames carry
 * a virtio header, so that checksums and segmentation can be left to the other side.
 */
export function openTap(name: string): number {
  const fd = open('/dev/net/tun', open_.readWrite | open_.nonBlocking);
  try {
    const request = new Packer(REQUEST_BYTES).text(name, NAME_BYTES).u16(IFF_TAP | IFF_NO_PI | IFF_VNET_HDR);
    ioctl(fd, TUNSETIFF, request.zeros(REQUEST_BYTES - request.length).finish());
    return fd;
  } catch (error) {
    close(fd);
    throw error;
  }
}
