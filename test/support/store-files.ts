import { existsSync, readdirSync } from 'node:fs';
import { join, relative } from 'node:path';

/** Every file that the store of a data directory has, by its path in there; with `except`, but those below these of its directories. */
export function storeFiles(dataDirectory: string, except: readonly string[] = ['locks']): string[] {
  const top = join(dataDirectory, 'cas');
  if (!existsSync(top)) return [];
  const entries = readdirSync(top, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => !entry.isDirectory());
  const paths = files.map(({ parentPath, name }) => relative(top, join(parentPath, name)));
  return paths.filter((path) => !except.some((directory) => path.startsWith(`${directory}/`))).sort();
}
