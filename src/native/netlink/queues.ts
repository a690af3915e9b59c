/** Queues of packets that leave an interface, and how fast they do: the token bucket of tc-tbf(8). */
import { Packer, Unpacker } from '../bytes.ts';
import {
  attribute,
  nestedAttribute,
  parseAttributes,
  textAttribute,
  textOf,
  u32Attribute,
} from './attributes.ts';
import { creation, type Netlink } from './socket.ts';
import { tcHeader } from './traffic.ts';

const RTM_NEWQDISC = 36;
const RTM_DELQDISC = 37;
const RTM_GETQDISC = 38;
const TC_H_ROOT = 0xffffffff;
const TC_H_INGRESS = 0xfffffff1;
const HEADER = 20;
const TCA_KIND = 1;
const TCA_OPTIONS = 2;
const TCA_TBF_PARMS = 1;
const TCA_TBF_RATE64 = 4;
const TCA_TBF_BURST = 6;
const LARGEST_RATE = 2 ** 32 - 1;
const LARGEST_QUEUE = 2 ** 32 - 1;

/** Bytes, and bytes a second. */
export interface TokenBucket {
  readonly rate: number;
  readonly burst: number;
  /** How long a packet may wait: what would wait longer is dropped. */
  readonly latencySeconds: number;
}

/** What leaves the link does so at this rate. In place of the queue that it has. */
export function setTokenBucket(netlink: Netlink, link: number, bucket: TokenBucket): void {
  const { rate, burst } = bucket;
  const options = [
    attribute(TCA_TBF_PARMS, pack(bucket)),
    u32Attribute(TCA_TBF_BURST, burst),
    ...(rate > LARGEST_RATE ? [attribute(TCA_TBF_RATE64, new Packer(8).u64(rate).finish())] : []),
  ];
  netlink.change(
    `limit what leaves link ${link}`,
    RTM_NEWQDISC,
    creation.replace,
    tcHeader(link, 0, TC_H_ROOT, 0),
    textAttribute(TCA_KIND, 'tbf'),
    nestedAttribute(TCA_OPTIONS, ...options),
  );
}

/** struct tc_tbf_qopt: two struct tc_ratespec (the second, for peaks, unused), bytes that wait, burst in ticks, unit. */
function pack({ rate, burst, latencySeconds }: TokenBucket): Uint8Array {
  const RATE_SPEC_BEFORE_RATE = 8;
  const queue = Math.min(LARGEST_QUEUE, Math.floor(rate * latencySeconds) + burst);
  return new Packer(36)
    .zeros(RATE_SPEC_BEFORE_RATE)
    .u32(Math.min(rate, LARGEST_RATE))
    .zeros(12)
    .u32(queue)
    .u32(0)
    .u32(0)
    .finish();
}

/** The link's own queue comes back. Fails with ENOENT, or EINVAL, where there is no other one. */
export function deleteQueue(netlink: Netlink, link: number, which: 'root' | 'ingress'): void {
  const parent = which === 'root' ? TC_H_ROOT : TC_H_INGRESS;
  netlink.change(`take the queue of link ${link} away`, RTM_DELQDISC, 0, tcHeader(link, 0, parent, 0));
}

export interface Queue {
  readonly kind: string | undefined;
  readonly where: 'root' | 'ingress' | 'inner';
  /** Bytes a second, of a token bucket. */
  readonly rate: number | undefined;
}

export function listQueues(netlink: Netlink, link: number): Queue[] {
  return netlink
    .dump(`list queues of link ${link}`, RTM_GETQDISC, tcHeader(link, 0, 0, 0))
    .filter(({ body }) => new Unpacker(body, 4).u32() === link)
    .map(({ body }) => parseQueue(body));
}

function parseQueue(body: Uint8Array): Queue {
  const parent = new Unpacker(body, 12).u32();
  const attributes = parseAttributes(body.subarray(HEADER));
  const kind = textOf(attributes, TCA_KIND);
  const where = parent === TC_H_ROOT ? 'root' : parent === TC_H_INGRESS ? 'ingress' : 'inner';
  return { kind, where, rate: kind === 'tbf' ? rateOf(attributes.get(TCA_OPTIONS)) : undefined };
}

function rateOf(options: Uint8Array | undefined): number | undefined {
  const found = parseAttributes(options ?? new Uint8Array(0));
  const wide = found.get(TCA_TBF_RATE64);
  if (wide !== undefined) return new Unpacker(wide).u64();
  const parameters = found.get(TCA_TBF_PARMS);
  return parameters && new Unpacker(parameters, 8).u32();
}
