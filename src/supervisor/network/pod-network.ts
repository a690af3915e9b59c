/**
 * A pod's networks, from the first plugin's ADD to the last one's DEL. What is made outside of the pod is recorded before it is made
 * (`records.ts`), so that `gc` takes away what a supervisor that was killed has left.
 */
import { formatNetInfo, type NetInfo } from '../../abi/net-info.ts';
import { LOCKS_OF_POD, NETWORKS_LOCK, POD } from '../../abi/pod-directory.ts';
import { aside, type Outcome } from '../../native/aside.ts';
import { sleep } from '../../native/clock.ts';
import { SystemError, unless } from '../../native/errors.ts';
import { File, open_, tryLock } from '../../native/files.ts';
import { mkdirAll, unlink } from '../../native/paths.ts';
import { getpid } from '../../native/processes.ts';
import { stat } from '../../native/stat.ts';
import type { AttachmentRecord } from '../../net/attachment-record.ts';
import type { CniResult } from '../../net/cni/result.ts';
import type { ChosenNetwork } from '../../net/network-choice.ts';
import { netInfo } from '../../net/network-facts.ts';
import type { RuntimeConfig } from '../../net/plugin-input.ts';
import { SupervisorError } from '../error.ts';
import { record } from '../record.ts';
import type { Report } from '../report.ts';
import { Attachment, typeOf } from './attachment.ts';
import type { HostSide } from './host-side.ts';
import { EndingSignals } from './interruption.ts';
import { removeOwnerless } from './leases.ts';
import { findPlugin, requirePlugins } from './plugin-search.ts';
import { lockRecords, makeRecords, removeRecord, writeRecord } from './records.ts';
import { removeRules } from './rule-removal.ts';

const OWN_NETWORK = '/proc/self/ns/net';
const POLL_MILLISECONDS = 20;

export interface PlannedNetwork extends ChosenNetwork {
  readonly runtimeConfig: RuntimeConfig;
}

export interface AttachedNetwork {
  readonly network: PlannedNetwork;
  readonly result: CniResult;
}

interface Kept {
  readonly file: string;
  readonly record: AttachmentRecord;
}

/** This process is in the pod's network namespace, and its current directory is the pod's. */
export class PodNetwork {
  readonly #lock: File;
  readonly #signals: EndingSignals;
  readonly #kept: Kept[] = [];
  readonly #attached: AttachedNetwork[] = [];
  #infos: readonly NetInfo[] = [];
  #isOver = false;
  #detaching: Outcome | undefined;

  constructor(
    private readonly host: HostSide,
    private readonly uuid: string,
    private readonly cniPath: readonly string[],
    private readonly report: Report,
  ) {
    // From the moment on that others can see that networks are being set up: they may want that to end.
    this.#signals = new EndingSignals();
    makeRecords();
    const lock = lockRecords(0);
    if (lock === undefined) throw new SupervisorError('network-failed', `${POD.networkLock} is held already`);
    this.#lock = lock;
  }

  /** What each ADD has come to, in the order of the interfaces. */
  get attached(): readonly AttachedNetwork[] {
    return this.#attached;
  }

  /** What there is to tell of them. */
  get infos(): readonly NetInfo[] {
    return this.#infos;
  }

  /**
   * Runs the plugins of the networks in order; blocks. Where one fails nothing of any stays.
   * @throws SupervisorError `network-failed`; Interruption where a signal came that ends the pod
   */
  attach(networks: readonly PlannedNetwork[]): void {
    this.host.inMounts(() =>
      requirePlugins(
        networks.map(({ list }) => list),
        this.cniPath,
      ),
    );
    using signals = this.#signals;
    using _ = takeTurn(signals);
    try {
      networks.forEach((network, index) => {
        this.#attachOne(network, index, signals);
      });
      this.#infos = this.#attached.map(({ network, result }) => this.#info(network, result));
      record(POD.netInfo, formatNetInfo(this.#infos), 0o640);
    } catch (error) {
      this.detach();
      throw error;
    }
  }

  #attachOne(network: PlannedNetwork, index: number, signals: EndingSignals): void {
    signals.refuse();
    const first: AttachmentRecord = {
      ...network,
      netnsInode: String(stat(OWN_NETWORK).inode),
      hostNetns: this.host.netns,
      cniPath: this.cniPath,
      phase: 'adding',
      result: undefined,
    };
    const keep = (current: AttachmentRecord) => {
      this.#kept[index] = { file: writeRecord(index, current), record: current };
    };
    keep(first);
    const result = this.#attachment(first, signals).add((reached, isLast) =>
      keep({ ...first, phase: isLast ? 'added' : 'adding', result: reached }),
    );
    this.#attached.push({ network, result });
  }

  /** Beside this process, which is in nobody's way meanwhile; `detach` waits for that. */
  beginDetaching(): void {
    if (this.#isOver || this.#detaching !== undefined || this.#kept.length === 0) return;
    this.#detaching = aside(() => {
      this.detach();
      return '';
    });
  }

  /** In the opposite order. What a plugin leaves stays recorded, for `gc` to try again. A disk that takes nothing keeps no plugin. */
  detach(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#detaching?.() !== undefined) {
      this.#lock[Symbol.dispose]();
      return;
    }
    // Before they are: whoever reads it must not be led to somebody else's address.
    this.#try(() => unless(['ENOENT'], () => unlink(POD.netInfo)));
    const kept = this.#kept.splice(0);
    const done = kept.toReversed().filter(({ record }) => this.#try(() => this.#attachment(record).del()));
    const isWhole =
      kept.every(({ record }) => record.phase === 'added') || this.#try(() => this.#sweep(kept));
    if (isWhole) for (const { file } of done) this.#try(() => removeRecord(file));
    // Who removes the pod next, while this process still is, would wait for it to end.
    this.#lock[Symbol.dispose]();
  }

  /** What a plugin has left that was killed in the middle of its work, and is nothing to its DEL. */
  #sweep(kept: readonly Kept[]): void {
    this.host.inMounts(() => {
      for (const { record } of kept) removeOwnerless(record.list);
    });
    const networks = kept.map(({ record }) => record.list.name);
    removeRules(this.host, this.uuid, networks, this.#lock.fd);
  }

  /** Whether it has come to its end. */
  #try(action: () => void): boolean {
    try {
      action();
      return true;
    } catch (error) {
      if (!(error instanceof SupervisorError || error instanceof SystemError)) throw error;
      this.report.warn(`${error.message}: left to gc`);
      return false;
    }
  }

  #attachment(attachment: AttachmentRecord, signals?: EndingSignals): Attachment {
    const { host, uuid } = this;
    const netns = `/proc/${getpid()}/ns/net`;
    return new Attachment({ host, containerId: uuid, netns, lock: this.#lock.fd, signals }, attachment);
  }

  #info(network: PlannedNetwork, result: CniResult): NetInfo {
    const type = typeOf(network.list.plugins[0] ?? {});
    const path = this.host.inMounts(() => findPlugin(type, this.cniPath));
    return netInfo(network, path, result);
  }
}

/** Nobody has plugins take away what pods do not have as long as we have it. @throws Interruption */
function takeTurn(signals: EndingSignals): File {
  mkdirAll(LOCKS_OF_POD, 0o750);
  const file = File.open(`${LOCKS_OF_POD}/${NETWORKS_LOCK}`, open_.readWrite | open_.create, 0o660);
  try {
    while (!tryLock(file.fd, 'shared')) {
      signals.refuse();
      sleep(POLL_MILLISECONDS);
    }
    return file;
  } catch (error) {
    file[Symbol.dispose]();
    throw error;
  }
}
