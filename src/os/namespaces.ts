import { constants, openSync } from 'node:fs';

/** Fds of the mount and the network namespace of this process, for a program that is to come back to them. */
export function ownNamespaces(): readonly number[] {
  return ['mnt', 'net'].map((name) => openSync(`/proc/self/ns/${name}`, constants.O_RDONLY));
}
