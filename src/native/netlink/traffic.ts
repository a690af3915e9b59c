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
const PRIORITY = 1;
const TCA_KIND = 1;
const TCA_OPTIONS = 2;
const TCA_U32_SEL = 5;
const TCA_U32_ACT = 7;
const TCA_ACT_KIND = 1;
const TCA_ACT_OPTIONS = 2;
const TCA_MIRRED_PARMS = 2;
const TC_U32_TERMINAL = 1;
const TC_ACT_STOLEN = 4;
const TCA_EGRESS_REDIR = 1;

/** Both ways: whatever either interface receives, the other sends. */
export function joinLinks(netlink: Netlink, first: number, second: number): void {
  for (const [from, to] of [
    [first, second],
    [second, first],
  ] as const)
    redirectIngress(netlink, from, to);
}

/** One way. */
export function redirectIngress(netlink: Netlink, from: number, to: number): void {
  addIngress(netlink, from);
  redirect(netlink, from, to);
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

/** `filter add dev FROM parent ffff: protocol all u32 match u8 0 0 action mirred egress redirect dev TO`. */
function redirect(netlink: Netlink, from: number, to: number): void {
  const header = tcHeader(from, 0, INGRESS_HANDLE, ((PRIORITY << 16) | ETH_P_ALL_BE) >>> 0);
  const action = nestedAttribute(
    1,
    textAttribute(TCA_ACT_KIND, 'mirred'),
    nestedAttribute(TCA_ACT_OPTIONS, attribute(TCA_MIRRED_PARMS, mirred(to))),
  );
  const options = nestedAttribute(
    TCA_OPTIONS,
    attribute(TCA_U32_SEL, matchAll()),
    nestedAttribute(TCA_U32_ACT, action),
  );
  const what = `redirect link ${from} to link ${to}`;
  netlink.change(what, RTM_NEWTFILTER, creation.exclusive, header, textAttribute(TCA_KIND, 'u32'), options);
}

/** struct tcmsg: family, interface, handle, parent, info. */
export function tcHeader(link: number, handle: number, parent: number, info: number): Uint8Array {
  return new Packer(20).u32(0).u32(link).u32(handle).u32(parent).u32(info).finish();
}

/** struct tc_u32_sel with one key that compares nothing. */
function matchAll(): Uint8Array {
  const KEYS = 1;
  return new Packer(32).u8(TC_U32_TERMINAL).u8(0).u8(KEYS).zeros(13).zeros(16).finish();
}

/** struct tc_mirred: index, capabilities, action, two counts, what to do, where to. */
function mirred(to: number): Uint8Array {
  return new Packer(28).zeros(8).u32(TC_ACT_STOLEN).zeros(8).u32(TCA_EGRESS_REDIR).u32(to).finish();
}
