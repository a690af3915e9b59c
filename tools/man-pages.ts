import { basename } from 'node:path';
import { PROGRAM } from '../src/cli/program.ts';
import { END, type Page } from './command-pages.ts';
import { type Block, blocksOf } from './markdown-blocks.ts';

const FOLDER = 'docs/man';
const WIDTH = 78;
/** Prose that begins without a heading. */
const PROSE = new RegExp(`${END}\n\n(?=[^#\n])`);

/**
 * The manual pages of the commands (roff, man(7)), made of the pages of `docs/commands` as they are, prose included. No date
 * is in them: they would differ by the day they were made on.
 */
export function manPages(pages: readonly Page[]): readonly Page[] {
  return pages.map(manPage);
}

function manPage({ path, text }: Page): Page {
  const isOverview = basename(path) === 'README.md';
  const name = isOverview ? 'rkt' : `rkt-${basename(path, '.md')}`;
  const [, summary, ...rest] = blocksOf(text.replace(PROSE, '## Description\n\n'));
  const about = isOverview ? PROGRAM.summary : summary?.kind === 'paragraph' ? summary.text : '';
  const opening = isOverview && summary !== undefined ? [summary, ...rest] : rest;
  const lines = [
    `.\\" From ${path}: npm run docs`,
    `.TH ${name.toUpperCase()} 1 "" rkt "rkt manual"`,
    '.SH NAME',
    ...wrapped(`${escaped(name)} \\- ${inline(about)}`),
    ...synopsis(isOverview ? undefined : opening[0], opening),
    ...(isOverview ? [] : ['.SH SEE ALSO', '.BR rkt (1)']),
  ];
  return { path: `${FOLDER}/${name}.1`, text: `${lines.join('\n')}\n` };
}

/** A command's page begins with its usage, a group's and the overview with what they are for. */
function synopsis(first: Block | undefined, blocks: readonly Block[]): readonly string[] {
  if (first?.kind !== 'code') return ['.SH DESCRIPTION', ...body(blocks)];
  const rest = blocks.slice(1);
  const heading = rest[0]?.kind === 'heading' ? [] : ['.SH FLAGS'];
  return ['.SH SYNOPSIS', ...wrapped(first.lines.map(escaped).join(' ')), ...heading, ...body(rest)];
}

/** A heading begins a paragraph by itself: behind it none is begun. */
function body(blocks: readonly Block[]): readonly string[] {
  return blocks.flatMap((block, index) => {
    const isFirst = index === 0 || blocks[index - 1]?.kind === 'heading';
    return roff(block, isFirst ? [] : ['.PP']);
  });
}

function roff(block: Block, begin: readonly string[]): readonly string[] {
  switch (block.kind) {
    case 'heading':
      return [`.SH ${quoted(plain(block.text).toUpperCase())}`];
    case 'paragraph':
      return [...begin, ...wrapped(inline(block.text))];
    case 'code':
      return [...begin, '.nf', '.RS 4', ...block.lines.map((line) => guarded(escaped(line))), '.RE', '.fi'];
    case 'list':
      return block.items.flatMap((item) => ['.IP \\(bu 2', ...wrapped(inline(item))]);
    case 'table':
      return block.rows.flatMap(([term = '', ...cells]) => [
        '.TP',
        guarded(inline(term)),
        ...wrapped(inline(cells.join('; '))),
      ]);
    default:
      return block satisfies never;
  }
}

const BOLD = /`([^`]+)`|\*\*([^*]+)\*\*/g;

/** Text with code and what is stressed in bold; of a link its words. */
function inline(text: string): string {
  const unlinked = text.replaceAll(/\[([^\]]+)\]\([^)]*\)/g, '$1');
  let [roffText, end] = ['', 0];
  for (const match of unlinked.matchAll(BOLD)) {
    roffText += `${escaped(unlinked.slice(end, match.index))}\\fB${escaped(match[1] ?? match[2] ?? '')}\\fR`;
    end = match.index + match[0].length;
  }
  return roffText + escaped(unlinked.slice(end));
}

function plain(text: string): string {
  return escaped(text.replaceAll(/\[([^\]]+)\]\([^)]*\)/g, '$1').replaceAll('`', ''));
}

/** A hyphen is a minus, so that what is copied from a page can be typed. */
function escaped(text: string): string {
  return text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replaceAll('\t', '    ')
    .replaceAll('…', '...')
    .replaceAll('’', "'");
}

function quoted(text: string): string {
  return /\s/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** A line that begins with a dot or an apostrophe would be a request. */
function guarded(line: string): string {
  return /^[.']/.test(line) ? `\\&${line}` : line;
}

function wrapped(text: string): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/).filter((piece) => piece !== '')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < WIDTH) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines.map(guarded);
}
