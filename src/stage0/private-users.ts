import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { PRIVATE_USERS_IDS } from '../abi/host-ids.ts';
import { type IdRange, overlap } from '../abi/id-range.ts';
import { AbiError } from '../abi/json.ts';
import { POD } from '../abi/pod-directory.ts';
import {
  formatPrivateUsers,
  PRIVATE_USERS_ANNOTATION,
  PRIVATE_USERS_COUNT,
  PRIVATE_USERS_KINDS,
  type PrivateUsers,
} from '../abi/private-users.ts';
import { annotationValue } from '../appc/index.ts';
import { replaceFile } from '../os/durable.ts';
import { exclusive } from '../os/lock.ts';
import { type PodReference, podPath } from '../pod/directory.ts';
import { listPods } from '../pod/listing.ts';
import { observe } from '../pod/observation.ts';
import type { Pod } from '../pod/pod.ts';
import { privateUsersIn } from '../pod/record.ts';
import { PHASES } from '../pod/state.ts';
import type { ImageRecord } from '../store/index.ts';
import { Stage0Error } from './errors.ts';
import { type Host, usersLock } from './host.ts';

/**
 * Gives users of its own to a pod that is ours and in phase `prepare`: ids that no other pod has until this one is removed. There is no
 * register that could disagree with the pods: who takes a range looks at all of them, under a lock. Undefined: its stage1 has no need
 * of any. Throws Stage0Error `unsupported` where it cannot have some, or all are taken.
 */
export async function claimPrivateUsers(
  host: Host,
  pod: Pod,
  stage1: ImageRecord,
  signal: AbortSignal | undefined,
): Promise<IdRange | undefined> {
  if (kindOf(stage1) === 'inherent') {
    record(pod, 'inherent');
    return undefined;
  }
  using _ = await exclusive(usersLock(host), signal);
  const ids = chooseRange(host.configuration.privateUsers ?? PRIVATE_USERS_IDS, takenRanges(pod));
  record(pod, ids);
  return ids;
}

function kindOf({ manifest }: ImageRecord) {
  const value = annotationValue(manifest.annotations, PRIVATE_USERS_ANNOTATION);
  const kind = PRIVATE_USERS_KINDS.find((known) => known === value);
  if (kind !== undefined) return kind;
  throw new Stage0Error(
    'unsupported',
    `--private-users: pods of ${manifest.name} have the host's users (its manifest has no ${PRIVATE_USERS_ANNOTATION})`,
  );
}

/** The lowest that is free. Throws Stage0Error `unsupported`. */
export function chooseRange({ first, count }: IdRange, taken: readonly IdRange[]): IdRange {
  const end = first + count;
  for (let start = first; start + PRIVATE_USERS_COUNT <= end; start += PRIVATE_USERS_COUNT) {
    const range = { first: start, count: PRIVATE_USERS_COUNT };
    if (!taken.some((other) => overlap(range, other))) return range;
  }
  throw new Stage0Error(
    'unsupported',
    `--private-users: of the ${count} ids from ${first} on pods have taken all ranges of ${PRIVATE_USERS_COUNT}: remove some with rkt gc`,
  );
}

function takenRanges({ pods }: Pod): readonly IdRange[] {
  return listPods(pods, PHASES).flatMap((reference) =>
    mayHaveRange(reference) ? (rangeOf(reference) ?? []) : [],
  );
}

/** Most pods of most hosts have none: they are not to cost much. One that has just moved may. */
function mayHaveRange(reference: PodReference): boolean {
  const path = podPath(reference);
  return existsSync(join(path, POD.privateUsers)) || !existsSync(path);
}

/** The ids of a pod's users; undefined where they are the host's, or a machine's. */
export function rangeOf(reference: PodReference): IdRange | undefined {
  using pod = observe(reference);
  try {
    const users = pod === undefined ? undefined : privateUsersIn(pod);
    return users === 'inherent' ? undefined : users;
  } catch (cause) {
    if (!(cause instanceof AbiError)) throw cause;
    throw new Stage0Error('bad-tree', `pod ${JSON.stringify(reference.uuid)}: ${cause.message}`, { cause });
  }
}

function record(pod: Pod, users: PrivateUsers): void {
  replaceFile(join(pod.path, POD.privateUsers), formatPrivateUsers(users));
}
