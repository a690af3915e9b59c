/**
 * The pods of this data directory that share a network with this one, found without anybody who keeps a list: each pod writes its
 * own directory and touches the one that all are in, which wakes the others; and that one has ended they see by its process.
 */

import { AbiError } from '../abi/json.ts';
import { parseNetInfo } from '../abi/net-info.ts';
import { POD } from '../abi/pod-directory.ts';
import { podUUID } from '../appc/uuid.ts';
import { readTextIfPresent } from '../native/contents.ts';
import { readdir } from '../native/directories.ts';
import { takeTouches, touch, watchTouches } from '../native/directory-watch.ts';
import { SystemError, unless } from '../native/errors.ts';
import { close, File, open_, tryLock } from '../native/files.ts';
import type { Loop, Timer, Watch } from '../native/loop.ts';
import { openProcess } from '../native/processes.ts';
import { type NamedPod, namesOfOthers } from '../net/pod-names.ts';
import type { Report } from './report.ts';

/** Many pods that start at once are looked at once. */
const SETTLE_MS = 50;
/** Where the kernel has no watch left to give. */
const POLL_MS = 2000;
/** A process is held of each: that many more files than a supervisor has open. */
const MOST_PEERS = 400;
const FILE_MAX = 1024 * 1024;

/** A pod among others. */
export interface PeersPlace {
  /** The directory that the directories of all pods that run are in. */
  readonly pods: string;
  readonly own: NamedPod;
  /** How touches of it are heard of. */
  readonly watch?: typeof watchTouches;
}

interface Peer {
  readonly pod: NamedPod;
  /** Closes what stands for its supervisor. */
  forget(): void;
}

export class Peers {
  readonly #loop: Loop;
  readonly #report: Pick<Report, 'warn'>;
  readonly #place: PeersPlace;
  readonly #changed: (names: string) => void;
  readonly #peers = new Map<string, Peer>();
  /** Pods that were found not to run: none that has ended runs again, and a lock that is tried is in the way of who removes it. */
  readonly #ended = new Set<string>();
  readonly #told = new Set<string>();
  readonly #watch: Watch | undefined;
  #timer: Timer | undefined;
  #names = '';

  /** Shows itself to the others, and looks for them. `changed` is told of the lines for hosts files when they are others than `names`. */
  constructor(loop: Loop, report: Pick<Report, 'warn'>, place: PeersPlace, changed: (names: string) => void) {
    this.#loop = loop;
    this.#report = report;
    this.#place = place;
    this.#changed = changed;
    // Before the first look: of those who come later one is told.
    this.#watch = this.#openWatch();
    touch(place.pods);
    this.#look();
    this.#names = this.#current();
  }

  get names(): string {
    return this.#names;
  }

  close(): void {
    this.#watch?.close();
    this.#timer?.cancel();
    for (const peer of this.#peers.values()) peer.forget();
    this.#peers.clear();
  }

  #openWatch(): Watch | undefined {
    const { pods, watch: open = watchTouches } = this.#place;
    const fd = unless(['EMFILE', 'ENOSPC', 'ENOSYS'], () => open(pods));
    if (fd === undefined) {
      this.#poll();
      return undefined;
    }
    const watch = this.#loop.watch(fd, {
      readable: () => {
        takeTouches(fd);
        this.#soon();
      },
    });
    return {
      update: watch.update,
      close: () => {
        watch.close();
        close(fd);
      },
    };
  }

  #poll(): void {
    this.#timer = this.#loop.after(POLL_MS, () => {
      this.#poll();
      this.#lookAgain();
    });
  }

  #soon(): void {
    if (this.#timer !== undefined) return;
    this.#timer = this.#loop.after(SETTLE_MS, () => {
      this.#timer = undefined;
      this.#lookAgain();
    });
  }

  #lookAgain(): void {
    this.#look();
    this.#tell();
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

  /** What is known of a pod that runs does not change, so that only others are read. */
  #look(): void {
    const { pods, own } = this.#place;
    const others = readdir(pods).filter((name) => podUUID.is(name) && name !== own.uuid);
    for (const uuid of this.#ended) if (!others.includes(uuid)) this.#ended.delete(uuid);
    for (const uuid of others.filter((name) => !this.#peers.has(name) && !this.#ended.has(name))) {
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
    if (process === undefined) {
      this.#ended.add(uuid);
      return;
    }
    // Only now: the process is the supervisor's if the pod has one, and not another with the number of one that has ended.
    if (tryLock(directory.fd, 'shared')) {
      this.#ended.add(uuid);
      close(process);
      return;
    }
    const watch = this.#loop.watch(process, { readable: () => this.#lose(uuid) });
    this.#peers.set(uuid, {
      pod,
      forget: () => {
        watch.close();
        close(process);
      },
    });
  }

  #lose(uuid: string): void {
    this.#peers.get(uuid)?.forget();
    this.#peers.delete(uuid);
    this.#ended.add(uuid);
    this.#tell();
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
