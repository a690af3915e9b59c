import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BuildError } from './error.ts';
import { rootDir } from './paths.ts';

interface LockedPackage {
  readonly version: string;
  readonly license?: string;
  readonly dev?: boolean;
  /** For other machines, but for koffi's part for this one, whose licence is koffi's. */
  readonly optional?: boolean;
}

const COMMON = 'The text is in /usr/share/common-licenses/Apache-2.0.';

/** The licences of the npm packages whose code the command has in it or loads, each with the package's name. */
export async function licences(): Promise<string> {
  const lock = JSON.parse(await readFile(join(rootDir, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>;
  };
  const used = Object.entries(lock.packages).filter(
    ([path, { dev, optional }]) => path !== '' && dev !== true && optional !== true,
  );
  return (await Promise.all(used.map(([path, locked]) => licence(path, locked)))).join('\n');
}

async function licence(path: string, { version, license = '' }: LockedPackage): Promise<string> {
  const file = (await readdir(join(rootDir, path))).find((name) => /^licen[cs]e/i.test(name));
  if (file === undefined) throw new BuildError('BAD_PACKAGE', `${path}: no file says its licence`);
  // Debian has the text of that once for all.
  const text = license === 'Apache-2.0' ? COMMON : await readFile(join(rootDir, path, file), 'utf8');
  const name = path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
  return `\n${name} ${version} (${license}):\n\n${text.trim().replaceAll(/^(?=.)/gm, '    ')}\n`;
}
