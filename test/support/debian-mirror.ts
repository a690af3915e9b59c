import { debianMirror } from '../../tools/apt-sources.ts';
import { aptSources } from '../../tools/debian.ts';
import { TestSupportError } from './error.ts';

/** The archive that this machine's own apt takes Debian from. */
export async function debianMirrorOfHost(): Promise<string> {
  const mirror = debianMirror(await aptSources());
  if (mirror === undefined)
    throw new TestSupportError('MISSING_REQUIREMENT', 'no debian archive in the configuration of apt');
  return mirror.archive;
}
