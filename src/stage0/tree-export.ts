import { EXIT } from '../abi/exit-code.ts';
import type { ExportPlan } from '../abi/export-plan.ts';
import { archivingChild, linesOf } from './archiving-child.ts';
import { Stage0Error } from './errors.ts';

/** A tar that `rkt-mount --export` writes. */
export interface ExportedTree {
  readonly stream: AsyncIterable<Uint8Array>;
  /** How it ended; what it has left out was reported. Rejects with Stage0Error `bad-tree`. */
  readonly done: Promise<'complete' | 'redirected'>;
}

/** In a pod's directory, or any other where the plan names a directory of the host. */
export async function exportTree(
  directory: string,
  plan: ExportPlan,
  report: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<ExportedTree> {
  const { child } = await archivingChild(['--export', JSON.stringify(plan)], { cwd: directory, signal });
  const done = child.then(({ failed, exitCode, stderr, shortMessage }) => {
    const lines = linesOf(stderr);
    if (exitCode === EXIT.redirected) return 'redirected' as const;
    if (failed)
      throw new Stage0Error('bad-tree', lines.at(-1) ?? shortMessage ?? 'rkt-mount --export failed');
    for (const line of lines) report(line);
    return 'complete' as const;
  });
  // Whoever reads the stream may fail first, and then nobody asks any more.
  done.catch(() => {});
  return { stream: child.stdout, done };
}
