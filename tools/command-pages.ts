import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command, Option } from 'commander';
import { GLOBAL_FLAGS } from '../src/cli/global-flags.ts';
import { COMMANDS } from '../src/cli/program.ts';
import { rootDir } from './paths.ts';

/** A page of the manual: what stands between the marks is made from the command line's own tables, the rest is written by hand. */
export interface Page {
  readonly path: string;
  readonly text: string;
}

const BEGIN = '<!-- from src/cli: npm run docs -->';
const END = '<!-- end -->';
const FOLDER = 'docs/commands';

/** All pages of `docs/commands` as they should be, prose kept. */
export async function commandPages(): Promise<readonly Page[]> {
  const pages = COMMANDS.map(async ({ name, summary, load }) => {
    const command = (await load())(summary, []);
    return page(`${name}.md`, `# rkt ${name}`, usage(command, name));
  });
  return Promise.all([...pages, page('README.md', '# Commands', overview())]);
}

async function page(file: string, title: string, made: string): Promise<Page> {
  const path = join(FOLDER, file);
  const old = await readFile(join(rootDir, path), 'utf8').catch(() => '');
  const prose = old.includes(END) ? old.slice(old.indexOf(END) + END.length) : '\n';
  return { path, text: `${title}\n\n${BEGIN}\n${made}\n${END}${prose}` };
}

function overview(): string {
  const rows = COMMANDS.map(({ name, summary }) => `| [${name}](${name}.md) | ${summary} |`);
  const flags = GLOBAL_FLAGS.map((flag) => row(flag));
  return [
    'A command may be abbreviated to any unambiguous beginning; so may a UUID and an image id.',
    ['| command | |', '|---|---|', ...rows].join('\n'),
    '## Global flags',
    'They may stand before the command or behind it.',
    table(flags),
  ].join('\n\n');
}

function usage(command: Command, name: string): string {
  const own = command.options.filter((option) => !GLOBAL_FLAGS.some((flag) => flag.long === option.long));
  const sections = [...grouped(own)].map(
    ([heading, options]) => `### ${heading.replace(/:$/, '')}\n\n${table(options.map(row))}`,
  );
  return [
    `${command.description()}`,
    `    rkt ${name} ${command.usage()}`,
    ...sections,
    'The [global flags](README.md#global-flags) apply as well.',
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
