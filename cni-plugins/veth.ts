/** A cable between the host and a container. */
import { hasCode } from '../src/native/errors.ts';
import { changeLink, findLink, type Link, linkAt } from '../src/native/netlink/links.ts';
import type { Netlink } from '../src/native/netlink/socket.ts';
import { randomBytes } from '../src/native/system.ts';
import { CNI_ERROR, CniError } from '../src/net/cni/errors.ts';
import { makeLink, requireLink } from './interface.ts';
import type { ContainerNamespace } from './namespace.ts';

export interface NewVeth {
  /** In the container. */
  readonly name: string;
  readonly mtu?: number | undefined;
  readonly mac?: string | undefined;
  /** The bridge that the host's end joins. */
  readonly master?: number | undefined;
}

export interface Veth {
  readonly host: Link;
  readonly inner: Link;
}

const ATTEMPTS = 10;

/** The host's end is up, under a name that nobody has; the container's is down. */
export function createVeth(
  container: ContainerNamespace,
  host: Netlink,
  { name, mtu, mac, master }: NewVeth,
): Veth {
  const { netlink } = container;
  const own = { ...(mtu === undefined ? {} : { mtu }), ...(mac === undefined ? {} : { mac }) };
  const size = mtu === undefined ? {} : { mtu };
  tryNames((hostName) => {
    if (findLink(netlink, name) !== undefined)
      throw new CniError(CNI_ERROR.internal, `'${container.path}' has an interface ${name} already`);
    const peer = { name: hostName, namespaceFd: container.hostFd, ...size };
    makeLink(netlink, { kind: 'veth', name, peer }, own);
  });
  const inner = requireLink(netlink, name, `'${container.path}'`);
  const outer = requirePeer(host, inner);
  // Not as it is made: the kernel brings no end up that has no other end yet.
  changeLink(host, outer.index, { up: true, ...(master === undefined ? {} : { master }) });
  return { inner, host: outer };
}

/** The host's end of a container's veth. */
export function requirePeer(host: Netlink, inner: Link): Link {
  const link = inner.peer === undefined ? undefined : linkAt(host, inner.peer);
  if (link?.kind !== 'veth')
    throw new CniError(CNI_ERROR.internal, `interface ${inner.name} has no other end on the host`);
  return link;
}

/** Makes something under a name by chance, and under another while somebody has it. */
export function tryNames(make: (name: string) => void): void {
  for (let attempt = 1; ; attempt++) {
    try {
      make(`veth${[...randomBytes(4)].map((byte) => byte.toString(16).padStart(2, '0')).join('')}`);
      return;
    } catch (error) {
      if (!hasCode(error, 'EEXIST') || attempt === ATTEMPTS) throw error;
    }
  }
}
