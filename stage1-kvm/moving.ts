/** A spare machine comes to the pod that takes it over. For either of both moves the kernel waits until all processors have heard of it: they go beside each other. */
import { aside } from '../src/native/aside.ts';
import { writeControl } from '../src/native/contents.ts';
import { SystemError } from '../src/native/errors.ts';
import { changeLink, findLink } from '../src/native/netlink/links.ts';
import { Netlink } from '../src/native/netlink/socket.ts';
import { KvmError } from './error.ts';
import { tapName } from './interfaces.ts';

/** Why it has not been done; null: it has. */
export type Refusal = string | null;

/** Processes to control groups, by the files of these. What comes of it is known when it is asked for. */
export function beginMovingProcesses(groups: readonly string[], pids: readonly number[]): () => Refusal {
  const outcome = aside(() => {
    const refusal = refusalOf(() => {
      for (const path of groups) for (const pid of pids) writeControl(path, String(pid));
    });
    return JSON.stringify(refusal);
  });
  return () => {
    const said = outcome();
    return said === undefined ? 'it cannot leave its control group' : JSON.parse(said);
  };
}

/** Taps to a network namespace, an open file. */
export function moveTaps(namespace: number, count: number): Refusal {
  return refusalOf(() => {
    using netlink = new Netlink();
    for (let number = 0; number < count; number++) {
      const tap = findLink(netlink, tapName(number));
      if (tap === undefined) throw new KvmError('vessel-failed', `the tap ${tapName(number)} has gone`);
      changeLink(netlink, tap.index, { namespaceFd: namespace });
    }
  });
}

function refusalOf(action: () => void): Refusal {
  try {
    action();
    return null;
  } catch (error) {
    if (error instanceof SystemError || error instanceof KvmError) return error.message;
    throw error;
  }
}
