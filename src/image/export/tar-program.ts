import type { Readable } from 'node:stream';
import { ImageError } from '../error.ts';

/**
 * What of a tree is archived: owners by number, holes, links, the attributes that images may have; in the order of the names and
 * without the times of this machine, so that the same tree gives the same archive.
 */
const TREE = [
  '--format=pax',
  '--pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime',
  '--sort=name',
  '--numeric-owner',
  '--sparse',
  '--xattrs',
  '--xattrs-include=user.*',
  '--xattrs-include=security.capability',
];
const STDERR_MAX = 4096;

/** Archives names of a directory into a file. `follow`: what links lead to, instead of the links. */
export async function archiveTo(
  file: string,
  directory: string,
  names: readonly string[],
  options: { readonly follow?: boolean; readonly signal?: AbortSignal | undefined } = {},
): Promise<void> {
  const { run } = await import('../../os/run.ts');
  const follow = options.follow === true ? ['--dereference'] : [];
  const args = ['--create', '--file', file, ...TREE, ...follow, '--directory', directory, '--', ...names];
  const { failed, stderr, shortMessage } = await run('tar', args, {
    reject: false,
    stdin: 'ignore',
    ...cancelled(options.signal),
  });
  options.signal?.throwIfAborted();
  if (failed) throw refused(stderr ?? '', shortMessage);
}

/** The same as a stream; `done` tells whether all of it came. */
export async function archiveStream(
  directory: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly stream: Readable; readonly done: Promise<void> }> {
  const { run } = await import('../../os/run.ts');
  const child = run('tar', ['--create', ...TREE, '--directory', directory, '.'], {
    reject: false,
    stdin: 'ignore',
    encoding: 'buffer',
    buffer: { stdout: false, stderr: true },
    ...cancelled(signal),
  });
  const done = child.then(({ failed, stderr, shortMessage }) => {
    if (failed) throw refused(Buffer.from(stderr ?? []).toString('utf8'), shortMessage);
  });
  return { stream: child.stdout, done };
}

function cancelled(signal: AbortSignal | undefined) {
  return signal === undefined ? {} : { cancelSignal: signal };
}

function refused(stderr: string, message: string | undefined): ImageError {
  return new ImageError(
    'system',
    `tar failed: ${stderr.trim().slice(0, STDERR_MAX) || (message ?? 'no reason given')}`,
  );
}
