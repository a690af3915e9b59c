/** One conversation with the servers of a network: for a first lease, or for more time with one. */
import type { Loop, Timer, Watch } from '../../../src/native/loop.ts';
import { PacketSocket } from '../../../src/native/packet-sockets.ts';
import { randomBytes } from '../../../src/native/system.ts';
import {
  ETHERTYPE_IPV4,
  formatQuestion,
  type MessageType,
  type Options,
  option,
  parseReply,
  type Reply,
} from './message.ts';

const FIRST_WAIT_MILLISECONDS = 1000;
const LONGEST_WAIT_MILLISECONDS = 8000;

export interface Exchange {
  /** The interface, in the namespace that the process is in when the exchange begins. */
  readonly link: number;
  readonly mac: string;
  /** Of every question. */
  readonly options: Options;
  /** What the client has and asks more time for; undefined for a first lease. */
  readonly address: Uint8Array | undefined;
  readonly milliseconds: number;
}

export type Outcome =
  | { readonly kind: 'given'; readonly reply: Reply }
  | { readonly kind: 'refused' | 'silence' };

/** Calls back once. The socket is open for as long as it takes alone: every packet of the interface would come to it. */
export function converse(loop: Loop, exchange: Exchange, done: (outcome: Outcome) => void): void {
  const { mac, address } = exchange;
  const socket = new PacketSocket(exchange.link, ETHERTYPE_IPV4);
  const transaction = randomBytes(4);
  let timer: Timer | undefined;
  let watch: Watch | undefined;
  let question: { type: MessageType; more: Options } = {
    type: address === undefined ? 'discover' : 'request',
    more: new Map(),
  };

  const finish = (outcome: Outcome) => {
    timer?.cancel();
    deadline.cancel();
    watch?.close();
    socket[Symbol.dispose]();
    done(outcome);
  };
  const ask = (wait: number) => {
    const options = new Map([...question.more, ...exchange.options]);
    socket.send(formatQuestion({ type: question.type, transaction, mac, address, options }));
    timer?.cancel();
    timer = loop.after(wait, () => ask(Math.min(2 * wait, LONGEST_WAIT_MILLISECONDS)));
  };
  const take = (reply: Reply) => {
    if (reply.transaction.join() !== transaction.join()) return false;
    if (reply.type === 'offer' && question.type === 'discover') {
      question = { type: 'request', more: chosen(reply) };
      ask(FIRST_WAIT_MILLISECONDS);
    } else if (question.type === 'request' && reply.type !== 'offer') {
      finish(reply.type === 'ack' ? { kind: 'given', reply } : { kind: 'refused' });
      return true;
    }
    return false;
  };
  const deadline = loop.after(exchange.milliseconds, () => finish({ kind: 'silence' }));
  watch = loop.watch(socket.fd, {
    readable: () => {
      for (let frame = socket.receive(); frame !== undefined; frame = socket.receive()) {
        const reply = parseReply(frame);
        if (reply !== undefined && take(reply)) return;
      }
    },
  });
  ask(FIRST_WAIT_MILLISECONDS);
}

/** Of several servers one has to know that it is meant, and the others that they are not. */
function chosen({ address, options }: Reply): Options {
  const server = options.get(option.server);
  return new Map([
    [option.requestedAddress, address],
    ...(server === undefined ? [] : [[option.server, server] as const]),
  ]);
}
