/** Messages of DHCP, RFC 2131 and 2132, in frames of Ethernet. What comes is of anybody in the network. */
import { Packer, Unpacker } from '../../../src/native/bytes.ts';
import { parseMac } from '../../../src/native/netlink/ip.ts';

const messageTypes = {
  discover: 1,
  offer: 2,
  request: 3,
  decline: 4,
  ack: 5,
  nak: 6,
  release: 7,
} as const;

export type MessageType = keyof typeof messageTypes;

/** By number. */
export const option = {
  subnetMask: 1,
  routers: 3,
  nameServers: 6,
  hostName: 12,
  domainName: 15,
  staticRoutes: 33,
  requestedAddress: 50,
  leaseTime: 51,
  messageType: 53,
  server: 54,
  parameters: 55,
  renewalTime: 58,
  vendorClass: 60,
  clientId: 61,
  userClass: 77,
  classlessRoutes: 121,
} as const;

export type Options = ReadonlyMap<number, Uint8Array>;

export const ETHERTYPE_IPV4 = 0x0800;
const [CLIENT_PORT, SERVER_PORT] = [68, 67];
const NOBODY = Uint8Array.of(0, 0, 0, 0);
const EVERYBODY = Uint8Array.of(255, 255, 255, 255);
const ALL_MACHINES = 'ff:ff:ff:ff:ff:ff';
const UDP = 17;
const COOKIE = Uint8Array.of(99, 130, 83, 99);
const [ETHERNET_HEADER, IP_HEADER, UDP_HEADER] = [14, 20, 8];
const [OPTIONS_AT, OPTION_PAD, OPTION_END] = [240, 0, 255];
/** Some servers ignore shorter ones, which those of BOOTP never were. */
const SHORTEST = 300;

export interface Question {
  readonly type: MessageType;
  /** Four bytes that the answer has, too. */
  readonly transaction: Uint8Array;
  readonly mac: string;
  /** The one that the client has and answers to. */
  readonly address?: Uint8Array | undefined;
  readonly options: Options;
}

/** The whole frame, to all: who has no address knows no server, and who renews it may not reach the one that it knew. */
export function formatQuestion({ type, transaction, mac, address, options }: Question): Uint8Array {
  const hardware = parseMac(mac);
  const message = new Packer(SHORTEST)
    .u8(1)
    .u8(1)
    .u8(hardware.length)
    .u8(0)
    .bytes(transaction)
    .u32(0)
    .bytes(address ?? NOBODY)
    .zeros(12)
    .bytes(hardware)
    .zeros(10 + 64 + 128)
    .bytes(COOKIE)
    .u8(option.messageType)
    .u8(1)
    .u8(messageTypes[type]);
  for (const [code, value] of options) message.u8(code).u8(value.length).bytes(value);
  const body = message.u8(OPTION_END).finish();
  return inFrame(hardware, address ?? NOBODY, body);
}

function inFrame(mac: Uint8Array, source: Uint8Array, body: Uint8Array): Uint8Array {
  const padded = Math.max(SHORTEST, body.length);
  const length = IP_HEADER + UDP_HEADER + padded;
  const ip = (sum: number) =>
    new Packer(IP_HEADER)
      .u8(0x45)
      .u8(0)
      .u16be(length)
      .u32(0)
      .u8(64)
      .u8(UDP)
      .u16be(sum)
      .bytes(source)
      .bytes(EVERYBODY)
      .finish();
  return new Packer(ETHERNET_HEADER + length)
    .bytes(parseMac(ALL_MACHINES))
    .bytes(mac)
    .u16be(ETHERTYPE_IPV4)
    .bytes(ip(checksum(ip(0))))
    .u16be(CLIENT_PORT)
    .u16be(SERVER_PORT)
    .u16be(UDP_HEADER + padded)
    .u16be(0)
    .bytes(body)
    .zeros(padded - body.length)
    .finish();
}

/** RFC 1071. */
function checksum(header: Uint8Array): number {
  let sum = 0;
  for (let at = 0; at < header.length; at += 2) sum += ((header[at] ?? 0) << 8) | (header[at + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
  return ~sum & 0xffff;
}

export interface Reply {
  readonly type: 'offer' | 'ack' | 'nak';
  readonly transaction: Uint8Array;
  /** What the client is given. */
  readonly address: Uint8Array;
  readonly options: Options;
}

/** Undefined for every frame that is no server's reply. */
export function parseReply(frame: Uint8Array): Reply | undefined {
  const message = payloadOf(frame);
  if (message === undefined || message.length < OPTIONS_AT || message[0] !== 2) return undefined;
  if (COOKIE.some((byte, index) => message[OPTIONS_AT - 4 + index] !== byte)) return undefined;
  const options = parseOptions(message.subarray(OPTIONS_AT));
  const number = options.get(option.messageType)?.[0];
  const type = (['offer', 'ack', 'nak'] as const).find((name) => messageTypes[name] === number);
  return type && { type, transaction: message.slice(4, 8), address: message.slice(16, 20), options };
}

/** Of UDP to a client's port, in the first or only fragment. */
function payloadOf(frame: Uint8Array): Uint8Array | undefined {
  const packet = frame.subarray(ETHERNET_HEADER);
  const headerLength = 4 * ((packet[0] ?? 0) & 0x0f);
  const isUdp = (packet[0] ?? 0) >> 4 === 4 && headerLength >= IP_HEADER && packet[9] === UDP;
  if (!isUdp || packet.length < headerLength + UDP_HEADER) return undefined;
  const fields = new Unpacker(packet, headerLength + 2);
  if (fields.u16be() !== CLIENT_PORT) return undefined;
  const length = fields.u16be();
  return packet.subarray(headerLength + UDP_HEADER, headerLength + length);
}

/** An option that comes several times is one that was too long, RFC 3396. */
function parseOptions(bytes: Uint8Array): Options {
  const found = new Map<number, Uint8Array>();
  for (let at = 0; at < bytes.length; ) {
    const code = bytes[at++] ?? OPTION_END;
    if (code === OPTION_END) break;
    if (code === OPTION_PAD) continue;
    const length = bytes[at++] ?? 0;
    const value = bytes.slice(at, at + length);
    if (value.length < length) break;
    found.set(code, Uint8Array.of(...(found.get(code) ?? []), ...value));
    at += length;
  }
  return found;
}
