/**
 * The pods of this data directory that share a network with this one, found without anybody who keeps a list: each pod writes its
 * own directory, looks into those of the others, and rings at those that it finds. Of two that begin at once the one that looks
 * last finds the other. That one has ended is seen by its process.
 */
import { AbiError } from '../abi/json.ts';
import { parseNetInfo } from '../abi/net-info.ts';
import { POD } from '../abi/pod-directory.ts';
import { podUUID } from '../appc/uuid.ts';
import { readTextIfPresent } from '../native/contents.ts';
import { readdir } from '../native/directories.ts';
import { SystemError, unless } from '../native/errors.ts';
import { close, File, open_, tryLock } from '../native/files.ts';
import type { Loop, Timer, Watch } from '../native/loop.ts';
import { access } from '../native/paths.ts';
import { killOpen, openProcess } from '../native/processes.ts';
import { type NamedPod, namesOfOthers } from '../net/pod-names.ts';
import type { Report } from './report.ts';

/** Many pods that begin at once are looked at once. */
const SETTLE_MS = 50;
/** A process is held of each: that many more files than a supervisor has open. */
const MOST_PEERS = 400;
const FILE_MAX = 1024 * 1024;

/** How supervisors wake each other. A process that listens to no bell hears nothing of it. */
export interface Bell {
  listen(loop: Loop, heard: () => void): Watch;
  ring(process: number): void;
}

// Of the signals that do nothing to who does not wait for them the one that nobody else sends.
const SIGNAL: Bell = {
  listen: (loop, heard) => loop.onSignals(['SIGURG'], heard),
  ring: (process) => killOpen(process, 'SIGURG'),
};

/** A pod among others. */
export interface PeersPlace {
  /** The directory that the directories of all pods that run are in. */
  readonly pods: string;
  /** All that others will read of it is written. */
  readonly own: NamedPod;
  readonly bell?: Bell;
}

interface Peer {
  readonly pod: NamedPod;
  /** Stands for its supervisor. */
  readonly process: number;
  readonly watch: Watch;
}

export class Peers {
  readonly #loop: Loop;
  readonly #report: Pick<Report, 'warn'>;
  readonly #place: PeersPlace;
  readonly #changed: (names: string) => void;
  readonly #bell: Bell;
  readonly #peers = new Map<string, Peer>();
  /** Pods that were found not to run: none that has ended runs again, and a lock that is tried is in the way of who removes it. */
  readonly #ended = new Set<string>();
  readonly #told = new Set<string>();
  readonly #listening: Watch;
  #timer: Timer | undefined;
  #names = '';

  /** Looks for the others and shows itself to them. `changed` is told of the lines for hosts files when they are others than `names`. */
  constructor(loop: Loop, report: Pick<Report, 'warn'>, place: PeersPlace, changed: (names: string) => void) {
    this.#loop = loop;
    this.#report = report;
    this.#place = place;
    this.#changed = changed;
    this.#bell = place.bell ?? SIGNAL;
    this.#listening = this.#bell.listen(loop, () => this.#soon());
    this.#look();
    this.#names = this.#current();
    this.#ringAll();
  }

  get names(): string {
    return this.#names;
  }

  /** Once what others read of this pod is taken away: they are told to look. */
  close(): void {
    this.#listening.close();
    this.#timer?.cancel();
    this.#ringAll();
    for (const uuid of [...this.#peers.keys()]) this.#forget(uuid);
  }

  #ringAll(): void {
    for (const { process } of this.#peers.values()) this.#bell.ring(process);
  }

  #soon(): void {
    this.#timer ??= this.#loop.after(SETTLE_MS, () => {
      this.#timer = undefined;
      this.#look();
      this.#tell();
    });
  }

  #tell(): void {
    const names = this.#current();
    if (names === this.#names) return;
    this.#names = names;
    this.#changed(names);
  }

  #current(): string {
    return namesOfOthers(
      this.#place.own,
      [...this.#peers.values()].map(({ pod }) => pod),
    );
  }

  /** What is known of a pod that runs does not change, but that it withdraws it before it ends. */
  #look(): void {
    const { pods, own } = this.#place;
    const others = readdir(pods).filter((name) => podUUID.is(name) && name !== own.uuid);
    for (const uuid of this.#ended) if (!others.includes(uuid)) this.#ended.delete(uuid);
    // Most of a host's pods have ended: they are to cost no more than this.
    const isNamed = (uuid: string) => access(`${pods}/${uuid}/${POD.hostname}`, 'exist');
    for (const uuid of [...this.#peers.keys()]) if (!isNamed(uuid)) this.#forget(uuid);
    const unknown = others.filter((uuid) => !this.#peers.has(uuid) && !this.#ended.has(uuid));
    for (const uuid of unknown.filter(isNamed)) {
      try {
        if (this.#peers.size < MOST_PEERS) this.#meet(uuid);
        else this.#warnOnce(`this pod knows the names of ${MOST_PEERS} others, and of no more`);
      } catch (error) {
        // Somebody's spoilt files are not to end this pod.
        if (!isOthersFault(error)) throw error;
        this.#warnOnce(`pod ${uuid} is not found by its name: ${error.message}`);
      }
    }
  }

  #warnOnce(message: string): void {
    if (this.#told.has(message)) return;
    this.#told.add(message);
    this.#report.warn(message);
  }

  #meet(uuid: string): void {
    using directory = unless(GONE, () =>
      File.open(`${this.#place.pods}/${uuid}`, open_.readOnly | open_.directory | open_.noFollow),
    );
    if (directory === undefined) return;
    const pod = readPod(directory.fd, uuid);
    const pid = Number(textOf(directory.fd, POD.pid));
    if (pod === undefined || !Number.isSafeInteger(pid) || pid < 1) return;
    const process = unless(['ESRCH'], () => openProcess(pid));
    // Only now: the process is the supervisor's if the pod has one, and not another with the number of one that has ended.
    if (process === undefined || tryLock(directory.fd, 'shared')) {
      this.#ended.add(uuid);
      if (process !== undefined) close(process);
      return;
    }
    const watch = this.#loop.watch(process, { readable: () => this.#lose(uuid) });
    this.#peers.set(uuid, { pod, process, watch });
  }

  #lose(uuid: string): void {
    this.#ended.add(uuid);
    this.#forget(uuid);
    this.#tell();
  }

  #forget(uuid: string): void {
    const peer = this.#peers.get(uuid);
    if (peer === undefined) return;
    this.#peers.delete(uuid);
    peer.watch.close();
    close(peer.process);
  }
}

const GONE = ['ENOENT', 'ENOTDIR', 'ELOOP'];

/** Undefined for a pod without networks, and for one that has not come to them yet. */
function readPod(directory: number, uuid: string): NamedPod | undefined {
  const networks = textOf(directory, POD.netInfo);
  const hostname = textOf(directory, POD.hostname)?.trimEnd();
  if (networks === undefined || hostname === undefined) return undefined;
  const name = textOf(directory, POD.name)?.trimEnd();
  return { uuid, name, hostname, networks: parseNetInfo(networks) };
}

function textOf(directory: number, name: string): string | undefined {
  return readTextIfPresent(name, FILE_MAX, directory);
}

function isOthersFault(error: unknown): error is Error {
  return error instanceof AbiError || error instanceof SyntaxError || error instanceof SystemError;
}
