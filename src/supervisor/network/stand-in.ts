/**
 * A network namespace in place of one that has gone: with no namespace at all, plugins that look there for addresses succeed and leave
 * the rules that these addresses lead to. It is this process's own, which has left the host's, and has nothing but what is made here.
 */
import { SystemError } from '../../native/errors.ts';
import { addAddress } from '../../native/netlink/addresses.ts';
import { createLink, deleteLink, findLink, listLinks } from '../../native/netlink/links.ts';
import { Netlink } from '../../native/netlink/socket.ts';
import { isV6 } from '../../net/cni/result.ts';
import type { StandIn } from '../../net/standing-in.ts';

const PEER = 'stand-in';

/** Makes the interfaces in place of all that were there. What the kernel does not take is left out. */
export function standIn(interfaces: readonly StandIn[]): void {
  using netlink = new Netlink();
  removeLinks(netlink);
  interfaces.forEach((wanted, index) => {
    tolerant(() => makeInterface(netlink, wanted, `${PEER}${index}`));
  });
}

function removeLinks(netlink: Netlink): void {
  // Of a pair both go with one.
  for (const { index, loopback } of listLinks(netlink))
    if (!loopback) tolerant(() => deleteLink(netlink, index));
}

function makeInterface(netlink: Netlink, { name, mac, addresses }: StandIn, peer: string): void {
  createLink(netlink, { kind: 'veth', name, peer: { name: peer } }, mac === undefined ? {} : { mac });
  const link = findLink(netlink, name);
  if (link === undefined) return;
  for (const text of addresses) {
    const [address = '', length] = text.split('/');
    const bits = length === undefined ? (isV6(address) ? 128 : 32) : Number(length);
    tolerant(() => addAddress(netlink, { link: link.index, address, length: bits }));
  }
}

/** A result may say what no kernel takes; DEL is to be run all the same. */
function tolerant(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof SystemError || error instanceof RangeError || error instanceof TypeError))
      throw error;
  }
}
