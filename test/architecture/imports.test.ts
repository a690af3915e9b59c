import { expect, test } from 'vitest';
import { MAY_IMPORT, PROGRAM_FOLDERS } from './import-rules.ts';
import { importsOf, sourceFiles } from './source-tree.ts';

const FOLDERS = Object.keys(MAY_IMPORT).sort((a, b) => b.length - a.length);

function folderOf(file: string): string | undefined {
  return FOLDERS.find((folder) => file === folder || file.startsWith(`${folder}/`));
}

function isAllowed(folder: string, to: string): boolean {
  if (folderOf(to) === folder) return true;
  return (MAY_IMPORT[folder] ?? []).some((allowed) => {
    if (allowed === 'node:') return to.startsWith('node:');
    if (allowed.endsWith('/index')) return to === `${allowed}.ts`;
    return to === allowed || to.startsWith(`${allowed}/`);
  });
}

const files = PROGRAM_FOLDERS.flatMap(sourceFiles);
const imports = new Map(files.map((file) => [file, importsOf(file)]));

test('every source file lives in a folder with a rule', () => {
  expect(files.filter((file) => folderOf(file) === undefined)).toEqual([]);
});

test('imports go downwards only', () => {
  const offending = [...imports.values()].flat().filter(({ from, to }) => {
    const folder = folderOf(from);
    return folder !== undefined && !isAllowed(folder, to);
  });
  expect(offending.map(({ from, line, to }) => `${from}:${line} -> ${to}`)).toEqual([]);
});

test('no folder that a program is compiled from reaches Node, by any chain', () => {
  const chains = files
    .filter((file) => /^(guest-init|stage1-(kvm|ns|fly)|cni-plugins|src\/supervisor)\//.test(file))
    .filter((file) => !file.startsWith('stage1-kvm/image/'))
    .map((file) => chainTo(file, (to) => to.startsWith('node:') || to === 'koffi'))
    .filter((chain) => chain !== undefined);
  expect(chains).toEqual([]);
});

/** The first import chain from the file to something matching, for the reader who has to break it. */
function chainTo(start: string, matches: (to: string) => boolean): string | undefined {
  const seen = new Set([start]);
  const queue: string[][] = [[start]];
  for (let chain = queue.shift(); chain !== undefined; chain = queue.shift()) {
    for (const { to } of imports.get(chain.at(-1) ?? '') ?? []) {
      if (matches(to)) return [...chain, to].join(' -> ');
      if (!seen.has(to)) queue.push([...chain, to]);
      seen.add(to);
    }
  }
  return undefined;
}

test('no file imports itself through others', () => {
  const cycles = files
    .map((file) => chainTo(file, (to) => to === file))
    .filter((chain) => chain !== undefined);
  expect(cycles).toEqual([]);
});

test('one package, one door', () => {
  const doors: Readonly<Record<string, readonly string[]>> = {
    koffi: ['src/os'],
    execa: ['src/os'],
    commander: ['src/cli'],
    openpgp: ['src/trust'],
    tar: ['src/image'],
    undici: ['src/image/http'],
    'ip-address': ['src/net', 'cni-plugins'],
  };
  const wrong = [...imports.values()]
    .flat()
    .filter(({ from, to }) => to in doors && !doors[to]?.some((door) => from.startsWith(`${door}/`)))
    .map(({ from, line, to }) => `${from}:${line} -> ${to}`);
  expect(wrong).toEqual([]);
});
