/** Ids of the host that pods are given, where its configuration does not say which: they are nobody's there, and no two kinds have one in common. */
import type { IdRange } from './id-range.ts';
import { PRIVATE_USERS_COUNT } from './private-users.ts';

/** Of virtual machine monitors, from 0x70000000: above what distributions, directories and user namespaces hand out as a rule. */
export const VM_IDS: IdRange = { first: 1879048192, count: 65536 };

/**
 * Of pods with users of their own: 4093 ranges above those, below the ids on the disks of volumes (`VOLUME_IDS`), which no pod's process has.
 * Distributions, systemd and /etc/subuid hand out lower ones.
 */
export const PRIVATE_USERS_IDS: IdRange = { first: 0x70010000, count: 4093 * PRIVATE_USERS_COUNT };
