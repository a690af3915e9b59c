/** One container's lease, from its first question to its end. */
import { utf8Encode } from '../../../src/native/engine.ts';
import { hasCode } from '../../../src/native/errors.ts';
import type { Loop, Timer } from '../../../src/native/loop.ts';
import { parseIp } from '../../../src/native/netlink/ip.ts';
import { changeLink, findLink, type Link } from '../../../src/native/netlink/links.ts';
import { PacketSocket } from '../../../src/native/packet-sockets.ts';
import { randomBytes } from '../../../src/native/system.ts';
import { CNI_ERROR, CniError } from '../../../src/net/cni/errors.ts';
import { ContainerNamespace } from '../../namespace.ts';
import type { DhcpAnswer, DhcpCall } from './call.ts';
import { converse, type Outcome } from './exchange.ts';
import { type Lease, leaseOf } from './lease.ts';
import { ETHERTYPE_IPV4, formatQuestion, type Options, option } from './message.ts';

const SECOND = 1000;
/** RFC 2131, 4.4.5: asked again after half of what is left, but not more often. */
const SHORTEST_WAIT_SECONDS = 60;
const LONGEST_OPTION = 255;

export class HeldLease {
  readonly #loop: Loop;
  readonly #call: DhcpCall;
  readonly #seconds: number;
  readonly #lost: (reason: string) => void;
  #lease: Lease | undefined;
  #mac = '';
  #timer: Timer | undefined;
  #released = false;

  constructor(loop: Loop, call: DhcpCall, seconds: number, lost: (reason: string) => void) {
    this.#loop = loop;
    this.#call = call;
    this.#seconds = seconds;
    this.#lost = lost;
  }

  acquire(done: (answer: DhcpAnswer) => void): void {
    this.#inside((link, container) => {
      // Nothing is sent by an interface that is down.
      changeLink(container.netlink, link.index, { up: true });
      this.#mac = link.mac ?? '';
      this.#converse(container, link, undefined, (outcome) => {
        if (outcome.kind !== 'given') done({ error: this.#words(outcome) });
        else done({ result: this.#take(outcome).result });
      });
    });
  }

  /** As far as that is possible: a server that does not hear of it waits for the lease's end. */
  release(): void {
    this.#released = true;
    this.#timer?.cancel();
    const lease = this.#lease;
    if (lease === undefined) return;
    try {
      this.#inside((link, container) => {
        const server: Options =
          lease.server === undefined ? new Map() : new Map([[option.server, lease.server]]);
        const options = new Map([...server, [option.clientId, clientId(this.#call)] as const]);
        const { address } = lease;
        const transaction = randomBytes(4);
        using socket = container.inside(() => new PacketSocket(link.index, ETHERTYPE_IPV4));
        socket.send(formatQuestion({ type: 'release', transaction, mac: this.#mac, address, options }));
      });
    } catch {
      // The container has gone before its lease.
    }
  }

  #words({ kind }: Outcome): string {
    const where = `interface ${this.#call.ifName}`;
    return kind === 'refused'
      ? `the dhcp server refuses an address for ${where}`
      : `no dhcp server has answered on ${where} within ${this.#seconds} s`;
  }

  #take({ reply }: Extract<Outcome, { kind: 'given' }>): Lease {
    const lease = leaseOf(reply, this.#call.priority);
    this.#lease = lease;
    if (lease.times !== undefined) this.#waitToRenew(lease.times.renewal, lease.times.end);
    return lease;
  }

  /** In so many seconds, of those that are left. */
  #waitToRenew(wait: number, left: number): void {
    if (this.#released) return;
    this.#timer = this.#loop.after(wait * SECOND, () => this.#renew(left - wait));
  }

  #renew(left: number): void {
    try {
      this.#inside((link, container) => {
        // The path is of another container by now, which has another interface.
        if (link.mac !== this.#mac) throw new CniError(CNI_ERROR.unknownContainer, 'the container has gone');
        this.#converse(container, link, this.#lease?.address, (outcome) => this.#afterRenewal(outcome, left));
      });
    } catch (error) {
      this.#lost(error instanceof Error ? error.message : String(error));
    }
  }

  #afterRenewal(outcome: Outcome, before: number): void {
    if (this.#released) return;
    if (outcome.kind === 'given') {
      this.#take(outcome);
      return;
    }
    const left = before - this.#seconds;
    if (outcome.kind === 'silence' && left > 0)
      this.#waitToRenew(Math.min(left, Math.max(left / 2, SHORTEST_WAIT_SECONDS)), left);
    else this.#end(this.#words(outcome));
  }

  /** Somebody else may be given the address. */
  #end(reason: string): void {
    try {
      this.#inside((link, container) => {
        if (link.mac === this.#mac) changeLink(container.netlink, link.index, { up: false });
      });
    } catch (error) {
      if (!(error instanceof CniError) && !hasCode(error, 'ENODEV')) throw error;
    }
    this.#lost(reason);
  }

  #converse(
    container: ContainerNamespace,
    link: Link,
    address: Uint8Array | undefined,
    done: (outcome: Outcome) => void,
  ): void {
    const exchange = {
      link: link.index,
      mac: this.#mac,
      options: optionsOf(this.#call),
      address,
      milliseconds: this.#seconds * SECOND,
    };
    container.inside(() => converse(this.#loop, exchange, done));
  }

  /** The namespace is held open only for as long as something is done in it: it has to end with its container. */
  #inside(action: (link: Link, container: ContainerNamespace) => void): void {
    using container = ContainerNamespace.open(this.#call);
    const link = findLink(container.netlink, this.#call.ifName);
    if (link === undefined)
      throw new CniError(
        CNI_ERROR.unknownContainer,
        `'${container.path}' has no interface ${this.#call.ifName}`,
      );
    action(link, container);
  }
}

/** By which servers know a container again, whatever its hardware address. */
function clientId({ containerId, network, ifName }: DhcpCall): Uint8Array {
  return Uint8Array.of(0, ...utf8Encode(`${containerId}/${network}/${ifName}`)).subarray(0, LONGEST_OPTION);
}

function optionsOf(call: DhcpCall): Options {
  return new Map([
    [option.clientId, clientId(call)],
    [option.parameters, Uint8Array.from(call.parameters)],
    ...call.provided.map(({ code, value }) => [code, provided(code, value)] as const),
  ]);
}

/** Addresses are configured as text, and sent as bytes. */
function provided(code: number, value: string): Uint8Array {
  const isAddress = code === option.requestedAddress || code === option.server;
  return isAddress ? parseIp(value) : utf8Encode(value).subarray(0, LONGEST_OPTION);
}
