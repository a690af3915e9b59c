/** A spare machine becomes that of the pod whose directory is the current one. */
import { POD } from '../src/abi/pod-directory.ts';
import { SPARE } from '../src/abi/spares.ts';
import { close } from '../src/native/files.ts';
import type { Received } from '../src/native/messages.ts';
import { rename } from '../src/native/paths.ts';
import type { Report } from '../src/supervisor/report.ts';
import { KvmError } from './error.ts';
import { recordId } from './ids.ts';
import type { InterfaceFds } from './interface-arguments.ts';
import type { MachineParts } from './members.ts';
import { isUnusable, KeptQemu } from './spare-connection.ts';
import { HANDED, type HandedFile, hear, type Offer, readOffer } from './spare-protocol.ts';
import { connectToSpares, spareFailures } from './spare-store.ts';
import type { TemplateKind } from './template-store.ts';
import { type Channels, closeAll } from './wires.ts';

export interface Spare {
  readonly parts: MachineParts;
  readonly channels: Channels;
  /** QEMU's uid. */
  readonly id: number;
  /** In the order of the machine's. */
  readonly interfaces: readonly InterfaceFds[];
  readonly scratch: number;
  /** Its taps come to this process's network namespace, and its QEMU to the groups of these files: that begins now. @throws SystemError */
  take(groups: readonly string[]): void;
  /** Until they have come; that need not be waited for twice. @throws KvmError where they cannot */
  settle(): void;
  /** It is nobody's, and ends. */
  abandon(): void;
}

const OFFER_MS = 2000;

/** The first that is ready. Undefined: there is none. Whatever is wrong with one is a reason to go on without it. */
export function reserveSpare(kind: TemplateKind, report: Report): Spare | undefined {
  for (const { place, socket } of connectToSpares(kind)) {
    let spare: Spare | undefined;
    try {
      const received = hear(socket, OFFER_MS);
      // Somebody else was faster.
      if (received === undefined) {
        close(socket);
        continue;
      }
      spare = offered(received, socket, kind);
      rename(`${place}/${SPARE.scratch}`, POD.scratch);
      recordId(spare.id);
      report.step('takes a spare machine');
      return spare;
    } catch (error) {
      if (!isUnusable(error)) throw error;
      report.step(`a spare machine is not usable: ${error.message}`);
      if (spare === undefined) close(socket);
      else spare.abandon();
    }
  }
  for (const failure of spareFailures(kind)) report.step(`no spare machine: ${failure}`);
  return undefined;
}

/** @throws KvmError, AbiError, SyntaxError, with all files closed */
function offered(received: Received, socket: number, { facts }: TemplateKind): Spare {
  try {
    const offer = readOffer(received);
    if (offer.facts.join('\n') !== facts.join('\n'))
      throw new KvmError('unsupported', 'it is of another kind');
    if (received.fds.length !== HANDED.length + offer.interfaces * (offer.taps + offer.vhosts))
      throw new KvmError('unsupported', 'not all of its files have come');
    return spareOf(offer, socket, received.fds);
  } catch (error) {
    closeAll(received.fds);
    throw error;
  }
}

function spareOf(offer: Offer, socket: number, fds: readonly number[]): Spare {
  const file = (name: HandedFile) => fds[HANDED.indexOf(name)] ?? -1;
  const each = offer.taps + offer.vhosts;
  const interfaces = Array.from({ length: offer.interfaces }, (_, number) => {
    const own = fds.slice(HANDED.length + number * each, HANDED.length + (number + 1) * each);
    return { taps: own.slice(0, offer.taps), vhosts: own.slice(offer.taps) };
  });
  const qemu = new KeptQemu(offer.pid, file('process'), socket);
  return {
    parts: {
      own: {
        qmp: file('qmp'),
        console: file('console'),
        qemuMessages: file('qemuMessages'),
        shareMessages: file('shareMessages'),
      },
      members: [qemu],
    },
    channels: {
      control: { own: file('control'), theirs: file('controlTheirs') },
      data: { own: file('data'), theirs: file('dataTheirs') },
    },
    id: offer.id,
    interfaces,
    scratch: file('scratch'),
    take: (groups) => qemu.take(groups),
    settle: () => qemu.settle(),
    abandon: () => {
      qemu.abandon();
      closeAll(fds);
    },
  };
}
