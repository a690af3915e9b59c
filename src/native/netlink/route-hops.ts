/** Where a route leads: its gateway, or several ways with a weight each. */
import { concat, Packer, Unpacker } from '../bytes.ts';
import { type Attributes, attribute, parseAttributes } from './attributes.ts';
import { type Family, familyOf, formatIp, parseIp } from './ip.ts';

const RTA_GATEWAY = 5;
/** The gateway of another family: `default via inet6 fe80::1`. */
const RTA_VIA = 18;
export const RTNH_F_ONLINK = 4;
const HEADER = 8;

export interface RouteHop {
  /** The outgoing interface's index. */
  readonly link: number;
  readonly gateway: string | undefined;
  readonly onLink: boolean;
  /** From 1. */
  readonly weight: number;
}

export function packGateway(family: Family, gateway: string): Uint8Array {
  const bytes = parseIp(gateway);
  if (familyOf(bytes) === family) return attribute(RTA_GATEWAY, bytes);
  return attribute(RTA_VIA, new Packer(2 + bytes.length).u16(familyOf(bytes)).bytes(bytes).finish());
}

export function gatewayOf(attributes: Attributes): string | undefined {
  const bytes = attributes.get(RTA_GATEWAY) ?? attributes.get(RTA_VIA)?.subarray(2);
  return bytes && formatIp(bytes);
}

/** struct rtnexthop: length, flags, weight less one, interface; then attributes. */
export function packHops(family: Family, hops: readonly RouteHop[]): Uint8Array {
  return concat(
    hops.map(({ link, gateway, onLink, weight }) => {
      const inside = gateway === undefined ? new Uint8Array(0) : packGateway(family, gateway);
      return new Packer(HEADER + inside.length)
        .u16(HEADER + inside.length)
        .u8(onLink ? RTNH_F_ONLINK : 0)
        .u8(weight - 1)
        .u32(link)
        .bytes(inside)
        .finish();
    }),
  );
}

export function parseHops(bytes: Uint8Array): RouteHop[] {
  const hops: RouteHop[] = [];
  for (let at = 0; at + HEADER <= bytes.length; ) {
    const fields = new Unpacker(bytes, at);
    const length = fields.u16();
    if (length < HEADER) break;
    const onLink = (fields.u8() & RTNH_F_ONLINK) !== 0;
    const weight = fields.u8() + 1;
    const link = fields.u32();
    hops.push({ link, gateway: gatewayOf(parseAttributes(fields.take(length - HEADER))), onLink, weight });
    at += (length + 3) & ~3;
  }
  return hops;
}
