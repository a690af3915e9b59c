/** `dhcp daemon`: keeps leases for as long as containers have them, and asks for more time before they end. */

import { writeFile } from '../../../src/native/contents.ts';
import { utf8Decode, utf8Encode } from '../../../src/native/engine.ts';
import { unless } from '../../../src/native/errors.ts';
import { close, writeAll } from '../../../src/native/files.ts';
import { Loop } from '../../../src/native/loop.ts';
import { receive, sendNow } from '../../../src/native/messages.ts';
import { chmod, mkdirAll, unlink } from '../../../src/native/paths.ts';
import { getpid } from '../../../src/native/processes.ts';
import { accept, listenAt } from '../../../src/native/sockets.ts';
import { CNI_ERROR, CniError } from '../../../src/net/cni/errors.ts';
import {
  type DhcpAnswer,
  type DhcpCall,
  isServed,
  LARGEST_PACKET,
  parseCall,
  STANDARD_SOCKET,
} from './call.ts';
import { HeldLease } from './held-lease.ts';

const OWNER_ONLY = 0o600;
const STDERR = 2;
const STANDARD_SECONDS = 10;

export interface DaemonOptions {
  readonly socket: string;
  readonly pidFile: string | undefined;
  /** How long servers have for an answer. */
  readonly seconds: number;
}

const FLAGS = ['socketpath', 'pidfile', 'timeout'] as const;

/** `-socketpath PATH`, `-pidfile PATH`, `-timeout 10s`: as the reference's. */
export function parseDaemonArguments(args: readonly string[]): DaemonOptions {
  const given = new Map<string, string>();
  for (let at = 0; at < args.length; at++) {
    const [, name = '', value] = /^--?([a-z]+)(?:=(.*))?$/.exec(args[at] ?? '') ?? [];
    const text = value ?? args[++at];
    if (!FLAGS.some((flag) => flag === name) || text === undefined)
      throw new CniError(
        CNI_ERROR.invalidEnvironment,
        `dhcp daemon takes -${FLAGS.join(' VALUE, -')} VALUE, not '${args.join(' ')}'`,
      );
    given.set(name, text);
  }
  const timeout = given.get('timeout') ?? `${STANDARD_SECONDS}s`;
  const [, seconds] = /^(\d{1,4})s$/.exec(timeout) ?? [];
  if (seconds === undefined || Number(seconds) === 0)
    throw new CniError(CNI_ERROR.invalidEnvironment, `timeout '${timeout}' is no number of seconds, as 10s`);
  return {
    socket: given.get('socketpath') ?? STANDARD_SOCKET,
    pidFile: given.get('pidfile'),
    seconds: Number(seconds),
  };
}

/** Until SIGTERM or SIGINT. The leases stay: containers have their addresses still. */
export function runDaemon({ socket, pidFile, seconds }: DaemonOptions): number {
  using loop = new Loop();
  const leases = new Map<string, HeldLease>();
  const listener = listen(socket);
  if (pidFile !== undefined) writeFile(pidFile, `${getpid()}\n`);
  loop.watch(listener, {
    readable: () => {
      for (
        let fd = accept(listener, { nonBlocking: true });
        fd !== undefined;
        fd = accept(listener, { nonBlocking: true })
      )
        serve(loop, fd, leases, seconds);
    },
  });
  loop.onSignals(['SIGTERM', 'SIGINT'], () => loop.stop());
  const code = loop.run();
  for (const path of [socket, ...(pidFile === undefined ? [] : [pidFile])])
    unless(['ENOENT'], () => unlink(path));
  return code;
}

/** A socket that nobody listens at any more is one of a daemon that was killed. */
function listen(path: string): number {
  mkdirAll(path.replace(/\/[^/]*$/, '') || '/');
  if (isServed(path)) throw new CniError(CNI_ERROR.internal, `a dhcp daemon listens at '${path}' already`);
  unless(['ENOENT'], () => unlink(path));
  const fd = listenAt('seqpacket', { kind: 'path', path }, { nonBlocking: true });
  chmod(path, OWNER_ONLY);
  return fd;
}

/** One question and one answer, which may come much later. */
function serve(loop: Loop, fd: number, leases: Map<string, HeldLease>, seconds: number): void {
  const answer = (content: DhcpAnswer) => {
    sendNow(fd, utf8Encode(JSON.stringify(content)));
    close(fd);
  };
  const watch = loop.watch(fd, {
    readable: () => {
      watch.close();
      try {
        handle(
          loop,
          parseCall(utf8Decode(receive(fd, LARGEST_PACKET)?.bytes ?? new Uint8Array(0))),
          leases,
          seconds,
          answer,
        );
      } catch (error) {
        answer({ error: error instanceof Error ? error.message : String(error) });
      }
    },
    hangup: () => {
      watch.close();
      close(fd);
    },
  });
}

function handle(
  loop: Loop,
  call: DhcpCall,
  leases: Map<string, HeldLease>,
  seconds: number,
  answer: (content: DhcpAnswer) => void,
): void {
  const key = `${call.network}/${call.containerId}/${call.ifName}`;
  const held = leases.get(key);
  if (call.command === 'STATUS') {
    answer({ result: {} });
    return;
  }
  if (call.command === 'CHECK') {
    answer(held === undefined ? { error: `there is no lease for ${key}` } : { result: {} });
    return;
  }
  held?.release();
  leases.delete(key);
  if (call.command === 'DEL') {
    answer({ result: {} });
    return;
  }
  const lease = new HeldLease(loop, call, seconds, (reason) => {
    if (leases.get(key) === lease) leases.delete(key);
    writeAll(STDERR, utf8Encode(`dhcp: the lease for ${key} has ended: ${reason}\n`));
  });
  lease.acquire((outcome) => {
    if ('result' in outcome) leases.set(key, lease);
    answer(outcome);
  });
}
