/** Everything that connects a machine with its supervisor, connected before the machine is started: nobody waits, nobody polls. */
import { setNonBlocking } from '../src/native/descriptors.ts';
import { close, open, open_ } from '../src/native/files.ts';
import { openPipe } from '../src/native/pipes.ts';
import { boundAddress, connectTo, listenAt, socketPair } from '../src/native/sockets.ts';
import { QEMU_FDS, type QemuFd, VIRTIOFSD_FDS } from './vmm.ts';

/** Both ends of the channels to the guest. They outlast a QEMU that could not restore a machine: the next one gets them. */
export interface Channels {
  readonly control: Ends;
  readonly data: Ends;
}

interface Ends {
  readonly own: number;
  readonly theirs: number;
}

/** The supervisor's ends, all non-blocking; whoever uses one owns it. */
export interface OwnEnds {
  readonly qmp: number;
  readonly console: number;
  /** What QEMU and virtiofsd say on stdout and stderr. */
  readonly qemuMessages: number;
  readonly shareMessages: number;
}

export interface Wires {
  readonly own: OwnEnds;
  /** In the order of QEMU_FDS; and of VIRTIOFSD_FDS. */
  readonly qemu: readonly number[];
  readonly virtiofsd: readonly number[];
  /** Of these, what nobody else is to get. */
  readonly theirs: readonly number[];
}

export function connectChannels(): Channels {
  return { control: pair(), data: pair() };
}

export function connectWires({ control, data }: Channels, hasShare: boolean): Wires {
  const [qmp, console] = [pair(), pair()];
  const qemuMessages = openPipe();
  const shareMessages = openPipe();
  const nothing = open('/dev/null', open_.readOnly);
  const share = hasShare ? connectShare() : { server: nothing, client: nothing };
  const ofQemu: Readonly<Record<QemuFd, number>> = {
    stdin: nothing,
    stdout: qemuMessages.write,
    stderr: qemuMessages.write,
    control: control.theirs,
    data: data.theirs,
    qmp: qmp.theirs,
    console: console.theirs,
    share: share.client,
  };
  const ofVirtiofsd: Readonly<Record<(typeof VIRTIOFSD_FDS)[number], number>> = {
    stdin: nothing,
    stdout: shareMessages.write,
    stderr: shareMessages.write,
    listen: share.server,
  };
  for (const { read } of [qemuMessages, shareMessages]) setNonBlocking(read, true);
  return {
    own: {
      qmp: qmp.own,
      console: console.own,
      qemuMessages: qemuMessages.read,
      shareMessages: shareMessages.read,
    },
    qemu: QEMU_FDS.map((name) => ofQemu[name]),
    virtiofsd: VIRTIOFSD_FDS.map((name) => ofVirtiofsd[name]),
    theirs: [
      ...[nothing, qemuMessages.write, shareMessages.write],
      ...[qmp.theirs, console.theirs, share.client, share.server],
    ],
  };
}

/** Once the children have them: the end of a child is only seen when nobody else holds its ends. */
export function closeAll(fds: readonly number[]): void {
  for (const fd of new Set(fds)) close(fd);
}

function pair(): Ends {
  const [own, theirs] = socketPair('stream');
  setNonBlocking(own, true);
  return { own, theirs };
}

/**
 * virtiofsd accepts a connection from a listening socket. QEMU's is made here, so QEMU finds it connected whenever
 * virtiofsd is ready. The address is the kernel's choice and belongs to the pod's own network namespace.
 */
function connectShare(): { server: number; client: number } {
  const server = listenAt('stream', { kind: 'auto' });
  return { server, client: connectTo('stream', boundAddress(server)) };
}
