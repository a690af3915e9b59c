import { EXIT } from '../abi/exit-code.ts';
import type { ExportPlan } from '../abi/export-plan.ts';
import { Stage0Error } from './errors.ts';
import { rktMountPath } from './installation.ts';

/** A tar that `rkt-mount --export` writes. */
export interface ExportedTree {
  readonly stream: AsyncIterable<Uint8Array>;
  /** How it ended; what it has left out was reported. Rejects with Stage0Error `bad-tree`. */
  readonly done: Promise<'complete' | 'redirected'>;
}

/** The longest that one line of a hostile name may be, times as many as are told of. */
const STDERR_MAX = 256 * 1024;

/** In a pod's directory, or any other where the plan names a directory of the host. */
export async function exportTree(
  directory: string,
  plan: ExportPlan,
  report: (line: string) => void,
  signal: AbortSignal | undefined,
): Promise<ExportedTree> {
  const { run } = await import('../os/run.ts');
  const child = run(rktMountPath(), ['--export', JSON.stringify(plan)], {
    cwd: directory,
    reject: false,
    stdin: 'ignore',
    encoding: 'buffer',
    buffer: { stdout: false, stderr: true },
    maxBuffer: STDERR_MAX,
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
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

function linesOf(stderr: Uint8Array | undefined): string[] {
  const text = Buffer.from(stderr ?? []).toString('utf8');
  return text.split('\n').filter((line) => line !== '');
}
