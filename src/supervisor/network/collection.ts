/**
 * What networks have left of a pod whose supervisor was killed, taken away by the plugins that made it. The pod's own namespace has gone
 * with the supervisor; DEL gets another in its place, and never one that is found by a recorded process id, which may be a stranger's.
 */
import { POD } from '../../abi/pod-directory.ts';
import { monotonicMilliseconds } from '../../native/clock.ts';
import { unless } from '../../native/errors.ts';
import type { File } from '../../native/files.ts';
import { unshare } from '../../native/mounts.ts';
import { unlink } from '../../native/paths.ts';
import { getpid } from '../../native/processes.ts';
import { movedResult, type StandIn, standIns } from '../../net/standing-in.ts';
import { SupervisorError } from '../error.ts';
import { type Attaching, Attachment } from './attachment.ts';
import { HostSide } from './host-side.ts';
import { leasedAddresses, removeOwnerless } from './leases.ts';
import { findNamespace } from './namespace-search.ts';
import { endPluginsOf } from './orphans.ts';
import { type KeptRecord, lockRecords, readRecords, removeRecord } from './records.ts';
import { removeRules } from './rule-removal.ts';
import { standIn } from './stand-in.ts';

/** A plugin whose supervisor was killed is killed with it. What it has started is mostly soon done; else it is ended. */
const PATIENCE_MILLISECONDS = 5000;
/** stage0 waits somewhat longer (`deletion.ts`): plugins that hang are not to keep what the others have made. */
const ALL_MILLISECONDS = 70_000;
/** The kernel ends what is killed as soon as it can. */
const END_MILLISECONDS = 20_000;

/**
 * The current directory is the pod's, whose lock is held; this process leaves the host's network namespace. What fails stays recorded.
 * @throws SupervisorError `network-failed`
 */
export function collectNetworks(uuid: string): void {
  const records = readRecords();
  if (records.length === 0) return;
  const deadline = monotonicMilliseconds() + ALL_MILLISECONDS;
  const host = HostSide.own();
  for (const kept of records) refuseElsewhere(host, kept);
  using lock = lockOfNobody();
  unshare('network');
  const collector = new Collector({
    host,
    containerId: uuid,
    netns: `/proc/${getpid()}/ns/net`,
    lock: lock.fd,
    deadline,
  });
  const failures = records.toReversed().flatMap((kept) => collector.collect(kept));
  // Before the records go: they say that there may be such rules.
  const networks = records.map(({ record }) => record.list.name);
  removeRules(host, uuid, networks, lock.fd);
  for (const { file } of collector.collected) removeRecord(file);
  // The pod may stay: it is on none any more.
  if (failures.length === 0) unless(['ENOENT'], () => unlink(POD.netInfo));
  const [first] = failures;
  if (first !== undefined) throw first;
}

/** Until it is held, something may still be made. */
function lockOfNobody(): File {
  const lock = lockRecords(PATIENCE_MILLISECONDS);
  if (lock !== undefined) return lock;
  endPluginsOf(POD.networkLock);
  const second = lockRecords(END_MILLISECONDS);
  if (second !== undefined) return second;
  const message = "a plugin of the pod's networks, or what it has started, still runs";
  throw new SupervisorError('network-failed', message);
}

/** What its plugins made is in another namespace than ours, as long as that exists. */
function refuseElsewhere(host: HostSide, { record: { hostNetns, list } }: KeptRecord): void {
  if (hostNetns === undefined || hostNetns === host.netns) return;
  const holder = findNamespace(hostNetns);
  if (holder === undefined) return;
  const where = `another network namespace, which is ${holder}'s`;
  throw new SupervisorError(
    'network-failed',
    `network ${list.name} was set up in ${where}: it can be taken away there`,
  );
}

class Collector {
  readonly collected: KeptRecord[] = [];

  constructor(private readonly pod: Attaching) {}

  /** What went wrong. */
  collect(kept: KeptRecord): SupervisorError[] {
    const { list, ifName, result } = kept.record;
    const { host, containerId } = this.pod;
    const leased = host.inMounts(() => leasedAddresses(list, containerId, ifName));
    const problem = this.#del(kept, standIns(ifName, result, leased));
    // The reference plugins cannot take away the rest of what one of them has half taken away; where they find no interface they do not try.
    if (problem !== undefined && this.#del(kept, []) !== undefined) return [problem];
    host.inMounts(() => removeOwnerless(list));
    this.collected.push(kept);
    return [];
  }

  #del({ record }: KeptRecord, interfaces: readonly StandIn[]): SupervisorError | undefined {
    const result = record.result === undefined ? undefined : movedResult(record.result, this.pod.netns);
    standIn(interfaces);
    try {
      new Attachment(this.pod, { ...record, result }).del();
      return undefined;
    } catch (error) {
      if (error instanceof SupervisorError) return error;
      throw error;
    }
  }
}
