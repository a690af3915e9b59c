import { PRIVATE_USERS_IDS, VM_IDS } from '../abi/host-ids.ts';
import { type IdRange, overlap } from '../abi/id-range.ts';
import { VOLUME_IDS } from '../abi/volume-plan.ts';
import type { Configuration } from './configuration.ts';
import { ConfigError } from './errors.ts';

/**
 * One id for two purposes: who has it for the one could end the processes, or write the files, that have it for the other. What the
 * configuration does not say is the default. Throws ConfigError `overlap`, which names both.
 */
export function refuseOverlaps({ vmIds, privateUsers }: Configuration): void {
  const ranges: readonly (readonly [string, IdRange])[] = [
    ['ids of kind vm', vmIds ?? VM_IDS],
    ['ids of kind privateUsers', privateUsers ?? PRIVATE_USERS_IDS],
    ['ids of files in volumes', VOLUME_IDS],
  ];
  ranges.forEach(([what, range], index) => {
    for (const [others, other] of ranges.slice(index + 1))
      if (overlap(range, other))
        throw new ConfigError('overlap', `${what} (${shown(range)}) overlap ${others} (${shown(other)})`);
  });
}

function shown({ first, count }: IdRange): string {
  return `${first} to ${first + count - 1}`;
}
