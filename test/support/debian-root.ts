import { join } from 'node:path';
import { digest } from '../../tools/digest.ts';
import { buildDir } from '../../tools/paths.ts';
import { debianRelease } from '../../tools/pins.ts';
import { debianMirrorOfHost } from './debian-mirror.ts';
import { madeOnce } from './made-once.ts';
import { tool } from './tool.ts';

/**
 * The root directory of a small Debian, made once for each version of its recipe out of packages from this machine's own
 * mirror, then furnished. It is shared: nobody changes it later.
 */
export async function debianRoot(
  name: string,
  packages: readonly string[],
  furnish: (root: string) => void,
  recipe = '',
): Promise<string> {
  const key = digest(recipe, debianRelease, packages.join(' '));
  const directory = join(buildDir, name, `${debianRelease}-${key}`);
  return await madeOnce(directory, async (unfinished) => {
    await debootstrap(unfinished, packages);
    furnish(unfinished);
  });
}

async function debootstrap(directory: string, packages: readonly string[]): Promise<void> {
  const excluded = ['doc', 'locale'].map((name) => `--dpkgopt=path-exclude=/usr/share/${name}/*`);
  const options = ['--variant=minbase', `--include=${packages.join(',')}`, ...excluded];
  await tool('mmdebstrap', [
    '--quiet',
    '--format=directory',
    ...options,
    debianRelease,
    directory,
    await debianMirrorOfHost(),
  ]);
}
