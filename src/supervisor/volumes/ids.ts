/**
 * Who owns on the host what apps write to a volume. By default ids that nobody has there: a set-user-id program that an app has left is
 * one of an id that owns files of volumes alone (those of other pods as well), and a file capability counts in no namespace of the host's.
 */
import type { IdRange } from '../../abi/id-range.ts';
import { type HostVolumePlan, VOLUME_IDS } from '../../abi/volume-plan.ts';
import { visitEntries } from '../../native/directories.ts';
import { hasCode } from '../../native/errors.ts';
import { close, File, open_ } from '../../native/files.ts';
import { type MountDepth, mapIds } from '../../native/mount-attributes.ts';
import { chown } from '../../native/paths.ts';
import type { Stat } from '../../native/stat.ts';
import { SupervisorError } from '../error.ts';
import { openIdMap } from '../user-namespace.ts';

/** Ids from `disk` on are shown as those from `pod` on, which are the pod's users' outside of it. */
export interface ShownIds {
  /** Whose ids are on the disk. */
  readonly of: 'volume' | 'pod';
  readonly disk: number;
  readonly pod: number;
  readonly count: number;
}

/** Undefined: ids are as they are. Through what cannot be written nothing is left; and of what is no file it is the host's own. */
export function idsOf(
  { idMap, readOnly }: HostVolumePlan,
  { kind }: Pick<Stat, 'kind'>,
  users: IdRange | null,
): ShownIds | undefined {
  const isMapped = idMap !== 'none' && !readOnly && (kind === 'directory' || kind === 'file');
  const pod = users?.first ?? 0;
  const count = Math.min(users?.count ?? VOLUME_IDS.count, VOLUME_IDS.count);
  if (isMapped) return { of: 'volume', disk: VOLUME_IDS.first, pod, count };
  if (users === null || (kind !== 'directory' && kind !== 'file')) return undefined;
  return { of: 'pod', disk: 0, pod, count: users.count };
}

/** @throws SupervisorError `unsupported` for a file system that cannot */
export function showIds(mount: number, depth: MountDepth, ids: ShownIds, what: string): void {
  const users = openIdMap(ids);
  try {
    mapIds(mount, depth, users);
  } catch (cause) {
    if (!hasCode(cause, 'EINVAL', 'EPERM')) throw cause;
    const advice = ids.of === 'volume' ? ': say idmap=none' : ', as --private-users needs';
    const problem = `is, or has below it, a file system that cannot show other ids${advice}`;
    throw new SupervisorError('unsupported', `${what} ${problem}`, { cause });
  } finally {
    close(users);
  }
}

/** A directory of root's with nothing in it is as good as new: it becomes that of the pod's root. `place` is an O_PATH descriptor. */
export function adoptDirectory(place: number, { kind, uid, gid }: Stat): void {
  if (kind !== 'directory' || uid !== 0 || gid !== 0) return;
  using directory = File.open('.', open_.readOnly | open_.directory, 0, place);
  let isEmpty = true;
  visitEntries(directory.fd, () => {
    isEmpty = false;
  });
  if (isEmpty) chown(directory.fd, VOLUME_IDS.first, VOLUME_IDS.first);
}

/** What whoever asked for it should know. */
export function ownershipWarning(
  { idMap, readOnly, source }: HostVolumePlan,
  { kind, uid }: Pick<Stat, 'kind' | 'uid'>,
): string | undefined {
  if (readOnly || (kind !== 'directory' && kind !== 'file')) return undefined;
  if (idMap === 'none')
    return `idmap=none: what apps leave in ${source} is, on the host, that of the users who have their numbers there, set-user-id programs of root and devices included`;
  if (uid >= VOLUME_IDS.first && uid < VOLUME_IDS.first + VOLUME_IDS.count) return undefined;
  return `${source} belongs to user ${uid} of the host, who is nobody in the pod: apps read what everybody may, and write nothing; give it to ${VOLUME_IDS.first}, who is the pod's root, or say idmap=none`;
}
