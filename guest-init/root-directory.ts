import type { RootPlan, SharePlan } from '../src/abi/boot-plan.ts';
import { InitError } from './error.ts';
import { blockRootPath } from './root-disks.ts';

/** Where PID 1 has it, in its own root. */
export function rootDirectory(root: RootPlan, shares: readonly SharePlan[]): string {
  switch (root.kind) {
    case 'directory':
      return root.path;
    case 'virtiofs': {
      const share = shares.find(({ tag }) => tag === root.tag);
      if (share === undefined) throw new InitError('root', `no share ${root.tag}`);
      return `${share.target}/${root.path}`;
    }
    case 'block':
      return blockRootPath(root);
    default:
      return root satisfies never;
  }
}
