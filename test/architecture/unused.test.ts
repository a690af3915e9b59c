import { readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, test } from 'vitest';
import { PROGRAM_FOLDERS } from './import-rules.ts';
import { importsOf, ROOT, sourceFiles } from './source-tree.ts';

/**
 * Only what is used is written. These are the exports that no program uses, each with its reason: an entry has to go
 * as soon as a program uses what it names.
 */
const EXCEPTIONS: Readonly<Record<string, string>> = {
  'src/native/cgroups.ts addToGroup':
    'how a process joins a group on v1 and v2; test/guest/native-cgroups.test.ts',
};

const CHECKED = PROGRAM_FOLDERS;
const programs = [...CHECKED, 'tools', 'bench'].flatMap(sourceFiles);
const tests = sourceFiles('test');

const COMMENT_LINE = /^\s*(\/\*|\*[ /]|\*$|\/\/).*$/gm;
const code = new Map(
  [...programs, ...tests].map((file) => [
    file,
    readFileSync(join(ROOT, file), 'utf8').replaceAll(COMMENT_LINE, ''),
  ]),
);
const isDoor = (file: string) => basename(file) === 'index.ts';

const importers = new Map<string, Set<string>>();
for (const from of code.keys()) {
  for (const { to } of importsOf(from)) importers.set(to, (importers.get(to) ?? new Set()).add(from));
}

/** Who may use what a file exports: those who import it, and behind an index those who import that. */
function readersOf(file: string): string[] {
  const direct = [...(importers.get(file) ?? [])];
  return [...direct, ...direct.filter(isDoor).flatMap(readersOf)];
}

const IMPORTED = /^import (?:type )?\{[^}]*\}|\{[^}]*\} = await import\(|import\([^)]*\)\)\.\w+/gm;
/** The names that a file imports, at once or when it needs them. */
const imported = new Map(
  [...code].map(([file, text]) => {
    const clauses = [...text.matchAll(IMPORTED)].map(([clause]) => clause).join(' ');
    return [file, new Set(clauses.match(/\w+/g))];
  }),
);

/** How often a file names its own export: neither in a string nor as somebody's member. */
function mentions(file: string, name: string): number {
  const word = new RegExp(`(?<![\\w$'"]|[\\w$)\\]?]\\.)${name}(?![\\w$])`, 'g');
  return [...(code.get(file) ?? '').matchAll(word)].length;
}

const DECLARATION =
  /^export (?:declare |async |abstract )*(function\*?|class|const|let|enum|interface|type) (\w+)/gm;

interface Export {
  readonly file: string;
  readonly name: string;
  readonly isType: boolean;
}

const exported = programs
  .filter((file) => CHECKED.some((folder) => file.startsWith(`${folder}/`)))
  .flatMap((file) =>
    [...(code.get(file) ?? '').matchAll(DECLARATION)].map(([, kind = '', name = '']): Export => {
      return { file, name, isType: kind === 'interface' || kind === 'type' };
    }),
  );

/**
 * What is wrong with an export, if anything. Beside what other files use, a file may export what it uses itself, for
 * tests that look at this part alone; and types, since the signatures of what it exports are made of them.
 */
function problemOf({ file, name, isType }: Export): string | undefined {
  const readers = readersOf(file);
  const isUsedBy = (reader: string) => imported.get(reader)?.has(name) ?? false;
  if (readers.some((reader) => !tests.includes(reader) && isUsedBy(reader))) return undefined;
  if (mentions(file, name) === 1) return 'no program uses it';
  return isType || readers.some(isUsedBy) ? undefined : 'only its own file uses it: it needs no export';
}

const problems = new Map<string, string>(
  exported.flatMap((found) => {
    const problem = problemOf(found);
    return problem === undefined ? [] : [[`${found.file} ${found.name}`, problem] as const];
  }),
);

test('what a file exports is used', () => {
  const offending = [...problems].filter(([name]) => !Object.hasOwn(EXCEPTIONS, name));
  expect(offending.map(([name, problem]) => `${name}: ${problem}`)).toEqual([]);
});

test('the exceptions are still exceptions', () => {
  expect(Object.keys(EXCEPTIONS).filter((name) => !problems.has(name))).toEqual([]);
});
