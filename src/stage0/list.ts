import { podsDirectory } from '../pod/directory.ts';
import { listPods } from '../pod/listing.ts';
import { type PodRecord, readPod } from '../pod/record.ts';
import type { Host } from './host.ts';

export type { NetInfo as NetworkRecord } from '../abi/net-info.ts';
export type { AppRecord, PodRecord } from '../pod/record.ts';

export interface Listing {
  /** The oldest first. */
  readonly pods: readonly PodRecord[];
  /** What is wrong with pods that could not be read: they do not hide the others. */
  readonly problems: readonly { readonly uuid: string; readonly error: unknown }[];
}

/** All pods of a host. Ones that go away meanwhile are not in it. */
export function list(host: Host): Listing {
  const pods: PodRecord[] = [];
  const problems: { uuid: string; error: unknown }[] = [];
  for (const reference of listPods(podsDirectory(host.dataDirectory))) {
    try {
      const pod = readPod(reference);
      if (pod !== undefined) pods.push(pod);
    } catch (error) {
      problems.push({ uuid: reference.uuid, error });
    }
  }
  return { pods: pods.sort(byAge), problems };
}

function byAge(a: PodRecord, b: PodRecord): number {
  const [first, second] = [a.created ?? 0n, b.created ?? 0n];
  return first === second ? (a.uuid < b.uuid ? -1 : 1) : first < second ? -1 : 1;
}
