/** The sockets of the service: those that a service manager has opened for it (sd_listen_fds(3)), and what is missing of its own. */
import { METADATA_SOCKET } from '../src/abi/metadata.ts';
import { setCloseOnExec, setNonBlocking } from '../src/native/descriptors.ts';
import { environment } from '../src/native/engine.ts';
import { hasCode, unless } from '../src/native/errors.ts';
import { close } from '../src/native/files.ts';
import { listenTcp } from '../src/native/inet-sockets.ts';
import { chmod, mkdirAll, unlink } from '../src/native/paths.ts';
import { getpid } from '../src/native/processes.ts';
import { connectTo, isListening, isUnixSocket, listenAt } from '../src/native/sockets.ts';

const FIRST_FD = 3;
/** As many as `rkt metadata-service` hands on. */
const MOST_SOCKETS = 64;
const OWNER_ONLY = 0o600;

interface Sockets extends Disposable {
  /** Where `rkt` registers pods. */
  readonly registration: readonly number[];
  /** Where pods ask. */
  readonly metadata: readonly number[];
}

/** Throws where another one of its kind runs. */
export function openSockets(port: number): Sockets {
  const [registration, metadata] = [[], []] as [number[], number[]];
  for (const fd of given()) (isUnixSocket(fd) ? registration : metadata).push(fd);
  // The port first: of two that start at once, one gets it.
  if (metadata.length === 0) metadata.push(openPort(port));
  const isOwn = registration.length === 0;
  if (isOwn) registration.push(openRegistration());
  return {
    registration,
    metadata,
    [Symbol.dispose]: () => {
      for (const fd of [...registration, ...metadata]) close(fd);
      if (isOwn) unless(['ENOENT'], () => unlink(METADATA_SOCKET));
    },
  };
}

function given(): number[] {
  const fds = Array.from({ length: givenCount() }, (_, index) => FIRST_FD + index);
  for (const fd of fds) {
    if (!isListening(fd))
      throw new Error(`descriptor ${fd}, of those that LISTEN_FDS counts, is no socket that listens`);
    setCloseOnExec(fd, true);
    setNonBlocking(fd, true);
  }
  return fds;
}

function givenCount(): number {
  const text = environment('LISTEN_FDS') ?? '';
  if (text === '' || Number(environment('LISTEN_PID')) !== getpid()) return 0;
  const count = Number(text);
  if (/^\d+$/.test(text) && count <= MOST_SOCKETS) return count;
  throw new Error(
    `LISTEN_FDS=${JSON.stringify(text.slice(0, 80))} is no number of sockets, at most ${MOST_SOCKETS}`,
  );
}

function openPort(port: number): number {
  try {
    return listenTcp(port);
  } catch (cause) {
    if (!hasCode(cause, 'EADDRINUSE')) throw cause;
    throw new Error(`port ${port} is somebody's already: another metadata service's?`, { cause });
  }
}

/** A socket that nobody listens at any more is one of a service that was killed. */
function openRegistration(): number {
  mkdirAll(METADATA_SOCKET.replace(/\/[^/]*$/, ''), 0o755);
  if (isServed()) throw new Error(`a metadata service listens at ${METADATA_SOCKET} already`);
  unless(['ENOENT'], () => unlink(METADATA_SOCKET));
  const fd = listenAt('stream', { kind: 'path', path: METADATA_SOCKET }, { nonBlocking: true });
  chmod(METADATA_SOCKET, OWNER_ONLY);
  return fd;
}

function isServed(): boolean {
  const fd = unless(['ENOENT', 'ECONNREFUSED'], () =>
    connectTo('stream', { kind: 'path', path: METADATA_SOCKET }),
  );
  if (fd !== undefined) close(fd);
  return fd !== undefined;
}
