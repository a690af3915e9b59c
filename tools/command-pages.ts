import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command, Option } from 'commander';
import type { Entry } from '../src/cli/command-line.ts';
import { GLOBAL_FLAGS } from '../src/cli/global-flags.ts';
import { COMMANDS } from '../src/cli/program.ts';
import { rootDir } from './paths.ts';

/** A page of the manual: what stands between the marks is made from the command line's own tables, the rest is written by hand. */
export interface Page {
  readonly path: string;
  readonly text: string;
}

const BEGIN = '<!-- from src/cli: npm run docs -->';
/** Behind it is what is written by hand. */
export const END = '<!-- end -->';
const FOLDER = 'docs/commands';

/** All pages of `docs/commands` as they should be, prose kept. */
export async function commandPages(): Promise<readonly Page[]> {
  const pages = await Promise.all(shown(COMMANDS).map((entry) => entryPages(entry, [])));
  return [...pages.flat(), await page('README.md', '# Commands', overview())];
}

/** A group's page leads to those of its commands. */
async function entryPages(entry: Entry, groups: readonly string[]): Promise<readonly Page[]> {
  const words = [...groups, entry.name];
  const title = `# rkt ${words.join(' ')}`;
  if ('load' in entry) {
    const command = (await entry.load())(entry.summary, []);
    return [await page(pageFile(words), title, usage(command, words))];
  }
  const made = [entry.summary, commandTable(entry.commands, words), GLOBAL_FLAGS_REMARK].join('\n\n');
  const pages = await Promise.all(shown(entry.commands).map((inner) => entryPages(inner, words)));
  return [await page(pageFile(words), title, made), ...pages.flat()];
}

function shown(entries: readonly Entry[]): readonly Entry[] {
  return entries.filter((entry) => entry.hidden !== true);
}

function pageFile(words: readonly string[]): string {
  return `${words.join('-')}.md`;
}

function commandTable(entries: readonly Entry[], groups: readonly string[]): string {
  const rows = shown(entries).map(
    ({ name, summary }) => `| [${name}](${pageFile([...groups, name])}) | ${summary} |`,
  );
  return ['| command | |', '|---|---|', ...rows].join('\n');
}

async function page(file: string, title: string, made: string): Promise<Page> {
  const path = join(FOLDER, file);
  const old = await readFile(join(rootDir, path), 'utf8').catch(() => '');
  const prose = old.includes(END) ? old.slice(old.indexOf(END) + END.length) : '\n';
  return { path, text: `${title}\n\n${BEGIN}\n${made}\n${END}${prose}` };
}

function overview(): string {
  return [
    'A command may be abbreviated to any unambiguous beginning; so may a UUID and an image id.',
    commandTable(COMMANDS, []),
    '## Global flags',
    'They may stand before the command or behind it.',
    table(GLOBAL_FLAGS.map((flag) => row(flag))),
  ].join('\n\n');
}

const GLOBAL_FLAGS_REMARK = 'The [global flags](README.md#global-flags) apply as well.';

function usage(command: Command, words: readonly string[]): string {
  const own = command.options.filter((option) => !GLOBAL_FLAGS.some((flag) => flag.long === option.long));
  const sections = [...grouped(own)].map(
    ([heading, options]) => `### ${heading.replace(/:$/, '')}\n\n${table(options.map(row))}`,
  );
  return [
    `${command.description()}`,
    `    rkt ${words.join(' ')} ${command.usage()}`,
    ...sections,
    GLOBAL_FLAGS_REMARK,
  ].join('\n\n');
}

function grouped(options: readonly Option[]): Map<string, Option[]> {
  const groups = new Map<string, Option[]>();
  for (const option of options) {
    const heading = option.helpGroupHeading ?? 'Flags:';
    groups.set(heading, [...(groups.get(heading) ?? []), option]);
  }
  return groups;
}

function row(option: Option): string {
  return `| \`${option.flags.replaceAll('|', '\\|')}\` | ${option.description.replaceAll('|', '\\|')} |`;
}

function table(rows: readonly string[]): string {
  return rows.length === 0 ? 'None of its own.' : ['| flag | |', '|---|---|', ...rows].join('\n');
}
