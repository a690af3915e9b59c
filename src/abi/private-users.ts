/** Users of a pod's own (`--private-users`): what a stage1 says of itself, and what is recorded of a pod. */
import { formatIdRange, type IdRange, parseIdRange } from './id-range.ts';
import { POD } from './pod-directory.ts';

/**
 * Annotation of a stage1's manifest. `ranges`: its `run` takes `--private-users=FIRST:COUNT`, and the apps' roots show those ids.
 * `inherent`: what its pods' root is has no part in the host anyway. Absent: it has nothing of the kind.
 */
export const PRIVATE_USERS_ANNOTATION = 'coreos.com/rkt/stage1/private-users';

export const PRIVATE_USERS_KINDS = ['ranges', 'inherent'] as const;
export type PrivateUsersKind = (typeof PRIVATE_USERS_KINDS)[number];

export type PrivateUsers = IdRange | 'inherent';

/** How many ids a pod has: 0 to 65535, all that images use. */
export const PRIVATE_USERS_COUNT = 65536;

/** The text of a pod's `private-users-prepared`. */
export function formatPrivateUsers(users: PrivateUsers): string {
  return `${users === 'inherent' ? users : formatIdRange(users)}\n`;
}

/** @throws AbiError */
export function parsePrivateUsers(text: string): PrivateUsers {
  const word = text.trim();
  return word === 'inherent' ? word : parseIdRange(word, POD.privateUsers);
}
