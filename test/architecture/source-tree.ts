import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Every TypeScript file below the folder, as paths relative to the project's root. */
export function sourceFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sourceFiles(path);
    return /\.m?ts$/.test(entry.name) ? [path] : [];
  });
}

export interface Import {
  readonly from: string;
  /** A file of the project (relative to its root), a package name or `node:x`. */
  readonly to: string;
  readonly line: number;
}

const STATEMENT = /^\s*(?:import|export)\s(?:[^'"`;]*?\sfrom\s)?['"]([^'"]+)['"]/gm;
const CALL = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g;

/** What a file imports, types included: a type that crosses a boundary is a dependency too. */
export function importsOf(file: string): Import[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [...text.matchAll(STATEMENT), ...text.matchAll(CALL)].map((match) => {
    const specifier = match[1] ?? '';
    const line = text.slice(0, match.index + match[0].length).split('\n').length;
    const to = specifier.startsWith('.') ? normalize(join(dirname(file), specifier)) : packageName(specifier);
    return { from: file, to, line };
  });
}

function packageName(specifier: string): string {
  if (specifier.startsWith('node:')) return specifier;
  const parts = specifier.split('/');
  return specifier.startsWith('@') ? parts.slice(0, 2).join('/') : (parts[0] ?? specifier);
}
