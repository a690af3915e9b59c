import { readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { importsOf, ROOT, sourceFiles } from './source-tree.ts';

/** A statement at the top of a file, or a test in a `describe`: with the names that it declares. */
interface Unit {
  readonly text: string;
  readonly names: readonly string[];
  readonly isTest: boolean;
}

/** What every test has by its home is used by none in particular. */
const EVERYBODYS = 'test/support/rkt.ts';

/**
 * The functional tests as texts: each with what it takes from its file and from test/support, where lists that are spread stand
 * for themselves.
 */
export function functionalTests(): string[] {
  const files = sourceFiles('test/functional').filter((file) => file.endsWith('.test.ts'));
  return files.flatMap((file) => {
    const known = declarations(file);
    return unitsOf(file)
      .filter(({ isTest }) => isTest)
      .map(({ text }) => withLists(withDeclarations(text, known)));
  });
}

/**
 * Whether a test gives a flag to a command: a list of arguments that names the command has the flag, or takes up others of the test,
 * among which it is. `words`: those of the command, such as `image` and `rm`.
 */
export function usesFlag(test: string, words: readonly string[], flag: string): boolean {
  const command = commandPattern(test, words);
  const given = new RegExp(`['"\`\\s]--${flag}(?![\\w-])`);
  return [...test.matchAll(command)].some(({ index }) => {
    const list = listAround(test, index);
    return given.test(list) || (takesMore(list) && given.test(test));
  });
}

/** The command's words one after the other; of a group's command the second may be a parameter of a function of the test. */
function commandPattern(test: string, words: readonly string[]): RegExp {
  const quoted = words.map((word) => `['"]${word}['"]`);
  const [group, verb] = quoted;
  const byName =
    verb !== undefined && new RegExp(verb).test(test) ? `|${group},\\s*(?:word|verb|command)\\b` : '';
  return new RegExp(`${quoted.join(',\\s*')}${byName}`, 'g');
}

function takesMore(list: string): boolean {
  return list.includes('...') || /\b\w*(flag|arg|option|word)s?\b(?=\s*[,\])}])/i.test(list);
}

/** The innermost brackets around a place; where they hold the command alone, the call that is given the rest as well. */
function listAround(text: string, place: number): string {
  const list = around(text, place, '[', ']');
  return /^\[[\w\s,'"-]*\]$/.test(list) && !list.includes('--') ? around(text, place, '(', ')') : list;
}

function around(text: string, place: number, open: string, close: string): string {
  const start = edge(text, place, -1, close, open);
  return text.slice(Math.max(start, 0), edge(text, place, 1, open, close) + 1);
}

function edge(text: string, place: number, step: 1 | -1, deeper: string, out: string): number {
  let depth = 0;
  let at = place;
  for (; at >= 0 && at < text.length; at += step) {
    if (text[at] === out && depth === 0) return at;
    if (text[at] === out) depth -= 1;
    else if (text[at] === deeper) depth += 1;
  }
  return at;
}

/** What a file declares at its top, and what it imports of test/support. */
function declarations(file: string): Map<string, string> {
  const own = unitsOf(file)
    .filter(({ isTest }) => !isTest)
    .flatMap(({ names, text }) => names.map((name) => [name, text] as const));
  const imported = importsOf(file)
    .map(({ to }) => normalize(to))
    .filter((to) => to.startsWith('test/support/') && to !== EVERYBODYS && dirname(to) === 'test/support')
    .flatMap((to) => unitsOf(to).flatMap(({ names, text }) => names.map((name) => [name, text] as const)));
  return new Map([...imported, ...own]);
}

/** The text, and the declarations that it names, and those that these name. */
function withDeclarations(text: string, known: ReadonlyMap<string, string>): string {
  const taken = new Set<string>();
  const todo = [text];
  for (let next = todo.pop(); next !== undefined; next = todo.pop())
    for (const [name, declaration] of known)
      if (!taken.has(declaration) && new RegExp(`\\b${name}\\b`).test(next)) {
        taken.add(declaration);
        todo.push(declaration);
      }
  return [text, ...taken].join('\n');
}

const LIST = /const (\w+)(?::[^=]+)? = \[([^[\]]*)\](?: as const)?;/g;

function withLists(text: string): string {
  let result = text;
  for (const [, name = '', items = ''] of text.matchAll(LIST))
    result = result.replaceAll(new RegExp(`\\.\\.\\.${name}\\b`, 'g'), () => items);
  return result;
}

const TEST = /^ {0,2}(?:test|it)\b/;
const DECLARED = /^(?:export )?(?:async )?(?:function|const|let|class) (\w+)/;

function unitsOf(file: string): Unit[] {
  const units: string[][] = [];
  /** What a `describe` has before its first test, which is there for all of them. */
  let shared: string[] | undefined;
  for (const line of readFileSync(join(ROOT, file), 'utf8').split('\n')) {
    const isTop = /^[\w/]/.test(line);
    if (isTop || TEST.test(line) || units.length === 0)
      units.push(isTop ? [line] : [line, ...(shared ?? [])]);
    else units.at(-1)?.push(line);
    if (isTop) shared = line.startsWith('describe') ? units.at(-1) : undefined;
  }
  return units.map((lines) => {
    const name = DECLARED.exec(lines[0] ?? '')?.[1];
    return {
      text: lines.join('\n'),
      names: name === undefined ? [] : [name],
      isTest: TEST.test(lines[0] ?? ''),
    };
  });
}
