/** A conversation with the kernel by netlink(7): with its routing tables, unless told else. */
import { concat, Packer, Unpacker } from '../bytes.ts';
import { utf8Decode } from '../engine.ts';
import { SystemError } from '../errors.ts';
import { close } from '../files.ts';
import { call } from '../syscall.ts';
import { parseAttributes } from './attributes.ts';

const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC = 3 | 0o2000000;
const NETLINK_ROUTE = 0;
export const NETLINK_NETFILTER = 12;
const SOL_NETLINK = 270;
const NETLINK_EXT_ACK = 11;
const SOL_SOCKET = 1;
const SO_RCVTIMEO = 20;
/** The kernel answers at once: who waits longer has asked wrongly, and PID 1 must not wait for ever. */
const LONGEST_ANSWER_SECONDS = 10;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const HEADER = 16;
const RECEIVE_BYTES = 65536;
const NLMSGERR_ATTR_MSG = 1;

const REQUEST = 0x001;
export const ACK = 0x004;
const DUMP = 0x300;

/** How a request that makes something treats one that exists. */
export const creation = { create: 0x400, exclusive: 0x400 | 0x200, replace: 0x400 | 0x100 } as const;

/** A refused request. `reason` is the kernel's sentence, where it has one. */
class NetlinkError extends SystemError {
  readonly reason: string | undefined;

  constructor(request: string, errno: number, reason: string | undefined) {
    super(request, errno);
    this.name = 'NetlinkError';
    this.reason = reason;
    if (reason !== undefined) this.message += ` (${reason.toLowerCase().replace(/\.$/, '')})`;
  }
}

export interface Message {
  readonly type: number;
  readonly body: Uint8Array;
}

export interface Request {
  readonly type: number;
  readonly flags: number;
  readonly body: Uint8Array;
}

/** Belongs to the network namespace in which it was opened, also after the process has left it. */
export class Netlink {
  readonly #fd: number;
  readonly #buffer = new Uint8Array(RECEIVE_BYTES);
  #sequence = 0;

  constructor(protocol = NETLINK_ROUTE) {
    this.#fd = call('socket', AF_NETLINK, SOCK_RAW_CLOEXEC, protocol);
    const on = new Packer(4).u32(1).finish();
    call('setsockopt', this.#fd, SOL_NETLINK, NETLINK_EXT_ACK, on, on.length);
    const longest = new Packer(16).u64(LONGEST_ANSWER_SECONDS).u64(0).finish();
    call('setsockopt', this.#fd, SOL_SOCKET, SO_RCVTIMEO, longest, longest.length);
  }

  [Symbol.dispose](): void {
    close(this.#fd);
  }

  /** Changes something; `what` names it in the error, as in `set link eth0`. */
  change(what: string, type: number, flags: number, ...parts: readonly Uint8Array[]): void {
    this.#send(type, flags | ACK, parts);
    this.#replies(what);
  }

  /** Asks for one thing. */
  query(what: string, type: number, ...parts: readonly Uint8Array[]): Message[] {
    this.#send(type, ACK, parts);
    return this.#replies(what);
  }

  /** Lists something. */
  dump(what: string, type: number, ...parts: readonly Uint8Array[]): Message[] {
    this.#send(type, DUMP, parts);
    return this.#replies(what);
  }

  /** All of these, or none: the kernel acknowledges the last, or refuses one. For sockets of netfilter, with the marks of a batch. */
  transaction(what: string, requests: readonly Request[]): void {
    const messages = requests.map(({ type, flags, body }) => this.#message(type, flags, [body]));
    const all = concat(messages);
    call('write', this.#fd, all, all.length);
    for (const { type, body } of parseMessages(this.#read()))
      if (type === NLMSG_ERROR) throwRefusal(what, body);
  }

  #send(type: number, flags: number, parts: readonly Uint8Array[]): void {
    const message = this.#message(type, flags, parts);
    call('write', this.#fd, message, message.length);
  }

  #message(type: number, flags: number, parts: readonly Uint8Array[]): Uint8Array {
    const body = concat(parts);
    return new Packer(HEADER + body.length)
      .u32(HEADER + body.length)
      .u16(type)
      .u16(flags | REQUEST)
      .u32(++this.#sequence)
      .u32(0)
      .bytes(body)
      .align(4)
      .finish();
  }

  /** Good until the next one. */
  #read(): Uint8Array {
    return this.#buffer.subarray(0, call('read', this.#fd, this.#buffer, this.#buffer.length));
  }

  /** All messages up to the one that ends the answer. */
  #replies(what: string): Message[] {
    const found: Message[] = [];
    for (;;) {
      for (const { type, sequence, body } of parseMessages(this.#read())) {
        if (sequence !== this.#sequence) continue;
        if (type === NLMSG_DONE) return found;
        if (type !== NLMSG_ERROR) found.push({ type, body });
        else if (throwRefusal(what, body)) return found;
      }
    }
  }
}

interface Numbered extends Message {
  readonly sequence: number;
}

/** struct nlmsghdr: length, type, flags, sequence, port. */
export function parseMessages(bytes: Uint8Array): Numbered[] {
  const found: Numbered[] = [];
  for (let at = 0; at + HEADER <= bytes.length; ) {
    const fields = new Unpacker(bytes, at);
    const length = fields.u32();
    const type = fields.u16();
    fields.skip(2);
    const sequence = fields.u32();
    fields.skip(4);
    if (length < HEADER) break;
    found.push({ type, sequence, body: fields.take(length - HEADER) });
    at += (length + 3) & ~3;
  }
  return found;
}

/** struct nlmsgerr: errno, the request's header (and body, when refused), attributes. True where it is an ack. */
function throwRefusal(what: string, body: Uint8Array): boolean {
  const fields = new Unpacker(body);
  const errno = fields.i32();
  if (errno === 0) return true;
  const echoed = fields.u32();
  const attributes = parseAttributes(body.subarray(4 + ((echoed + 3) & ~3)));
  const reason = attributes.get(NLMSGERR_ATTR_MSG);
  throw new NetlinkError(what, errno, reason && utf8Decode(reason.subarray(0, -1)));
}
