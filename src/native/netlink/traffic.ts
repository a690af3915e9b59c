/**
 * Traffic control: what one interface receives leaves through another, before any IP stack sees it. Two of these
 * join a VM's tap to the interface that a network plugin made.
 */
import { Packer } from '../bytes.ts';
import { attribute, nestedAttribute, textAttribute } from './attributes.ts';
import { creation, type Netlink } from './socket.ts';

const RTM_NEWQDISC = 36;
const RTM_NEWTFILTER = 44;
const TC_H_INGRESS = 0xfffffff1;
const INGRESS_HANDLE = 0xffff0000;
const ETH_P_ALL_BE = 0x0300;
const ETH_P_IP_BE = 0x0008;
const TCA_KIND = 1;
const TCA_OPTIONS = 2;
const TCA_U32_SEL = 5;
const TCA_U32_ACT = 7;
const TCA_ACT_KIND = 1;
const TCA_ACT_OPTIONS = 2;
const TCA_MIRRED_PARMS = 2;
const TC_U32_TERMINAL = 1;
const TC_ACT_OK = 0;
const TC_ACT_STOLEN = 4;
const TCA_EGRESS_REDIR = 1;
const TCA_EGRESS_MIRROR = 2;

/**
 * Both ways: whatever either interface receives, the other sends. What comes for a DHCP client stays with the first one, too: who has
 * got its address by the plugin dhcp asks for more time from there, with a socket that sees nothing of what is redirected.
 */
export function joinLinks(netlink: Netlink, first: number, second: number): void {
  redirectIngress(netlink, first, second);
  addFilter(netlink, { from: first, to: second, priority: DHCP_PRIORITY, ...COPY_OF_DHCP });
  redirectIngress(netlink, second, first);
}

/** One way. */
export function redirectIngress(netlink: Netlink, from: number, to: number): void {
  addIngress(netlink, from);
  addFilter(netlink, { from, to, priority: PRIORITY, ...EVERYTHING });
}

function addIngress(netlink: Netlink, link: number): void {
  const header = tcHeader(link, INGRESS_HANDLE, TC_H_INGRESS, 0);
  netlink.change(
    `add ingress queue to link ${link}`,
    RTM_NEWQDISC,
    creation.exclusive,
    header,
    textAttribute(TCA_KIND, 'ingress'),
  );
}

interface Filter {
  readonly from: number;
  readonly to: number;
  readonly priority: number;
  /** As it is in a frame. */
  readonly protocol: number;
  readonly matches: readonly Match[];
  /** Of mirred: what it does, and what comes of the packet then. */
  readonly how: number;
  readonly verdict: number;
}

/** Four bytes of a packet, counted from its network header: those of the mask have these values. */
interface Match {
  readonly at: number;
  readonly mask: readonly number[];
  readonly value: readonly number[];
}

/** The lowest is asked first. */
const [DHCP_PRIORITY, PRIORITY] = [1, 2];
const NOTHING = [0, 0, 0, 0];

/** `protocol all u32 match u8 0 0 action mirred egress redirect dev TO`. */
const EVERYTHING = {
  protocol: ETH_P_ALL_BE,
  matches: [{ at: 0, mask: NOTHING, value: NOTHING }],
  how: TCA_EGRESS_REDIR,
  verdict: TC_ACT_STOLEN,
};

/** UDP over IPv4 without options, no later fragment, to port 68. `action mirred egress mirror dev TO action pass`. */
const COPY_OF_DHCP = {
  protocol: ETH_P_IP_BE,
  matches: [
    { at: 0, mask: [0xff, 0, 0, 0], value: [0x45, 0, 0, 0] },
    { at: 4, mask: [0, 0, 0x1f, 0xff], value: NOTHING },
    { at: 8, mask: [0, 0xff, 0, 0], value: [0, 17, 0, 0] },
    { at: 20, mask: [0, 0, 0xff, 0xff], value: [0, 0, 0, 68] },
  ],
  how: TCA_EGRESS_MIRROR,
  verdict: TC_ACT_OK,
};

/** `filter add dev FROM parent ffff: prio PRIORITY ...`. */
function addFilter(netlink: Netlink, filter: Filter): void {
  const { from, to, priority, protocol, matches } = filter;
  const header = tcHeader(from, 0, INGRESS_HANDLE, ((priority << 16) | protocol) >>> 0);
  const action = nestedAttribute(
    1,
    textAttribute(TCA_ACT_KIND, 'mirred'),
    nestedAttribute(TCA_ACT_OPTIONS, attribute(TCA_MIRRED_PARMS, mirred(filter))),
  );
  const options = nestedAttribute(
    TCA_OPTIONS,
    attribute(TCA_U32_SEL, selector(matches)),
    nestedAttribute(TCA_U32_ACT, action),
  );
  const what = `redirect link ${from} to link ${to}`;
  netlink.change(what, RTM_NEWTFILTER, creation.exclusive, header, textAttribute(TCA_KIND, 'u32'), options);
}

/** struct tcmsg: family, interface, handle, parent, info. */
export function tcHeader(link: number, handle: number, parent: number, info: number): Uint8Array {
  return new Packer(20).u32(0).u32(link).u32(handle).u32(parent).u32(info).finish();
}

/** struct tc_u32_sel, and a struct tc_u32_key for each match: mask, value, offset, mask of the offset. */
function selector(matches: readonly Match[]): Uint8Array {
  const packed = new Packer().u8(TC_U32_TERMINAL).u8(0).u8(matches.length).zeros(13);
  for (const { at, mask, value } of matches) packed.bytes(mask).bytes(value).u32(at).u32(0);
  return packed.finish();
}

/** struct tc_mirred: index, capabilities, action, two counts, what to do, where to. */
function mirred({ verdict, how, to }: Filter): Uint8Array {
  return new Packer(28).zeros(8).u32(verdict).zeros(8).u32(how).u32(to).finish();
}
