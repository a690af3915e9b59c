import { rktMountPath } from './installation.ts';

/** The longest that one line of a hostile name may be, times as many as are told of. */
const STDERR_MAX = 256 * 1024;

/** A child that `rkt-mount` is or starts: its stdout is an archive to be read as it comes, its stderr lines of what is left out. */
export async function archivingChild(
  words: readonly string[],
  {
    signal,
    ...more
  }: {
    readonly cwd: string;
    readonly env?: Readonly<Record<string, string | undefined>>;
    readonly signal: AbortSignal | undefined;
  },
) {
  const { run } = await import('../os/run.ts');
  const child = run(rktMountPath(), words, {
    ...more,
    reject: false,
    stdin: 'ignore',
    encoding: 'buffer',
    buffer: { stdout: false, stderr: true },
    maxBuffer: STDERR_MAX,
    ...(signal === undefined ? {} : { cancelSignal: signal }),
  });
  // A child is a promise of its end, which nobody waits for yet.
  return { child };
}

export function linesOf(stderr: Uint8Array | undefined): string[] {
  const text = Buffer.from(stderr ?? []).toString('utf8');
  return text.split('\n').filter((line) => line !== '');
}
