/**
 * What the keeper of a spare machine and the supervisor that takes it over say to each other: packets of JSON on a connection to the keeper's socket, which
 * lasts as long as the machine. Both are the same program; whoever has the connection has the machine, and its end is the machine's.
 */
import { FieldReader } from '../src/abi/json.ts';
import { utf8Decode, utf8Encode } from '../src/native/engine.ts';
import { SystemError, unless } from '../src/native/errors.ts';
import { type Received, receive, send } from '../src/native/messages.ts';
import { pollReadable } from '../src/native/polling.ts';
import type { Exit } from '../src/native/processes.ts';

/** The keeper's first word. Its files: those of `HANDED`, then of each interface its taps and its vhosts. */
export interface Offer {
  readonly type: 'offer';
  /** What the machine depends on, as its template has it. */
  readonly facts: readonly string[];
  /** Of QEMU. */
  readonly pid: number;
  /** QEMU's uid. */
  readonly id: number;
  readonly interfaces: number;
  /** Of each interface: so many taps, then so many vhosts. */
  readonly taps: number;
  readonly vhosts: number;
}

/** Before those of the interfaces. */
export const HANDED = [
  'control',
  'controlTheirs',
  'data',
  'dataTheirs',
  'qmp',
  'console',
  'qemuMessages',
  'shareMessages',
  'scratch',
  'process',
] as const;
export type HandedFile = (typeof HANDED)[number];

/**
 * A supervisor's answer, with the pod's network namespace as a file: the machine is a pod's from now on. Its taps go there, and its QEMU to
 * the pod's control groups, by their files.
 */
export interface Taking {
  readonly type: 'take';
  readonly groups: readonly string[];
}

/** The keeper's. Null: it is done; else why not. */
export interface Taken {
  readonly type: 'taken';
  readonly problem: string | null;
}

/** To the keeper: QEMU is to end. */
export interface Ending {
  readonly type: 'end';
}

/** The keeper's last word: nothing is left of QEMU. */
export interface Ended {
  readonly type: 'ended';
  readonly exit: Exit;
}

type Message = Offer | Taking | Taken | Ending | Ended;

const MESSAGE_BYTES = 65536;
/** What the kernel lets a message carry. */
const MOST_FILES = 250;

/** @throws SystemError where nobody is there any more */
export function say(socket: number, message: Message, fds: readonly number[] = []): void {
  send(socket, utf8Encode(JSON.stringify(message)), fds);
}

/** To somebody who may have gone. False: so it is. */
export function tell(socket: number, message: Message, fds: readonly number[] = []): boolean {
  try {
    say(socket, message, fds);
    return true;
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return false;
  }
}

/** The next packet; undefined when none comes in time, or none any more: the other has gone, perhaps with what it was told unread. */
export function hear(socket: number, milliseconds: number): Received | undefined {
  if (!pollReadable([socket], milliseconds)[0]) return undefined;
  const received = unless(['ECONNRESET'], () => receive(socket, MESSAGE_BYTES, MOST_FILES));
  return received === undefined || received.bytes.length === 0 ? undefined : received;
}

/** @throws AbiError, SyntaxError */
export function readOffer({ bytes }: Received): Offer {
  const offer = new FieldReader(JSON.parse(utf8Decode(bytes)), 'offer');
  return {
    type: offer.word('type', ['offer'] as const),
    facts: offer.texts('facts', 4096),
    pid: offer.integer('pid', 2, 2 ** 31),
    id: offer.integer('id', 1, 2 ** 32),
    interfaces: offer.integer('interfaces', 0, MOST_FILES),
    taps: offer.integer('taps', 0, MOST_FILES),
    vhosts: offer.integer('vhosts', 0, MOST_FILES),
  };
}

/** What a keeper says after that. @throws AbiError, SyntaxError */
export function readNews({ bytes }: Received): Taken | Ended {
  const news = new FieldReader(JSON.parse(utf8Decode(bytes)), 'news');
  const type = news.word('type', ['taken', 'ended'] as const);
  if (type === 'ended') return { type, exit: readExit(news.object('exit')) };
  return { type, problem: news.has('problem') ? news.string('problem', MESSAGE_BYTES) : null };
}

function readExit(exit: FieldReader): Exit {
  const kind = exit.word('kind', ['exited', 'signalled'] as const);
  return kind === 'exited'
    ? { kind, code: exit.integer('code', 0, 255) }
    : { kind, signal: exit.integer('signal', 1, 64), dumped: exit.boolean('dumped') };
}

/** What a supervisor says after `offer`. @throws AbiError, SyntaxError */
export function readAnswer({ bytes }: Received): Taking | Ending {
  const answer = new FieldReader(JSON.parse(utf8Decode(bytes)), 'answer');
  const type = answer.word('type', ['take', 'end'] as const);
  return type === 'end' ? { type } : { type, groups: answer.texts('groups', 64) };
}
