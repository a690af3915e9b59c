import { DEFAULT_ROOTS, type MachineRoots, ROOT_KINDS } from '../abi/root-disks.ts';
import { requestedScratchSize } from '../stage0/scratch-size.ts';
import { CliError } from './error.ts';
import { choice, Flag, value } from './flag.ts';

/** Flags of how a machine gets the roots of its apps. */
export const ROOTS_FLAGS: readonly Flag[] = [
  new Flag(
    'rootfs',
    choice('KIND', ROOT_KINDS),
    `how a virtual machine gets its roots: block, as disks, or virtiofs, shared (default: ${DEFAULT_ROOTS})`,
  ),
  new Flag(
    'scratch-size',
    value('BYTES'),
    'with roots as disks, which it asks for: the most that the apps may have written (default: 10Gi)',
  ),
];

export interface RootsValues {
  readonly rootfs?: string;
  readonly scratchSize?: string;
}

/** Throws CliError `usage`, Stage0Error `bad-request`. */
export function rootsRequest({ rootfs, scratchSize }: RootsValues): {
  readonly rootfs?: MachineRoots;
  readonly scratchBytes?: number;
} {
  const kind = ROOT_KINDS.find((known) => known === rootfs);
  if (rootfs !== undefined && kind === undefined)
    throw new CliError('usage', `--rootfs is ${ROOT_KINDS.join(' or ')}, not ${JSON.stringify(rootfs)}`);
  if (kind === 'virtiofs' && scratchSize !== undefined)
    throw new CliError('usage', '--scratch-size does not go with --rootfs=virtiofs');
  return {
    ...(kind === undefined ? {} : { rootfs: kind }),
    ...(scratchSize === undefined ? {} : { scratchBytes: requestedScratchSize(scratchSize) }),
  };
}
