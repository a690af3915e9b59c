/** A piece of a page, as far as the pages of `docs/commands` have such pieces. */
export type Block =
  | { readonly kind: 'heading'; readonly text: string }
  | { readonly kind: 'paragraph'; readonly text: string }
  | { readonly kind: 'code'; readonly lines: readonly string[] }
  | { readonly kind: 'list'; readonly items: readonly string[] }
  | { readonly kind: 'table'; readonly rows: readonly (readonly string[])[] };

const INDENT = '    ';

/** Reads a page. Comments are left out, and so are the heads of tables. */
export function blocksOf(page: string): readonly Block[] {
  const lines = page.replaceAll(/^<!--.*-->$/gm, '').split('\n');
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; ) {
    const [block, length] = blockAt(lines.slice(at));
    if (block !== undefined) blocks.push(block);
    at += length;
  }
  return blocks;
}

/** The block at the start of some lines, and how many of them it takes. */
function blockAt(lines: readonly string[]): readonly [Block | undefined, number] {
  const [first = ''] = lines;
  if (first.trim() === '') return [undefined, 1];
  if (first.startsWith('#')) return [{ kind: 'heading', text: first.replace(/^#+ */, '') }, 1];
  if (first.startsWith('```')) return fenced(lines);
  if (first.startsWith(INDENT)) return indented(lines);
  if (first.startsWith('|')) return table(lines);
  if (first.startsWith('- ')) return list(lines);
  const text = leading(lines, (line) => line.trim() !== '' && !/^(#|```|\||- | {4})/.test(line));
  return [{ kind: 'paragraph', text: text.join(' ') }, text.length];
}

function fenced(lines: readonly string[]): readonly [Block, number] {
  const inner = leading(lines.slice(1), (line) => !line.startsWith('```'));
  return [{ kind: 'code', lines: inner }, inner.length + 2];
}

/** Empty lines are a part of it where it goes on behind them. */
function indented(lines: readonly string[]): readonly [Block, number] {
  const all = leading(lines, (line) => line.startsWith(INDENT) || line.trim() === '');
  const end = all.findLastIndex((line) => line.startsWith(INDENT)) + 1;
  return [{ kind: 'code', lines: all.slice(0, end).map((line) => line.slice(INDENT.length)) }, end];
}

function table(lines: readonly string[]): readonly [Block, number] {
  const all = leading(lines, (line) => line.startsWith('|'));
  return [{ kind: 'table', rows: all.slice(2).map(cells) }, all.length];
}

/** `\|` is a bar within a cell. */
function cells(row: string): readonly string[] {
  return row
    .replace(/^\|/, '')
    .replace(/\|$/, '')
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replaceAll('\\|', '|'));
}

function list(lines: readonly string[]): readonly [Block, number] {
  const all = leading(lines, (line) => /^(- | {2}\S)/.test(line));
  const items = all.join('\n').replace(/^- /, '').split('\n- ');
  return [{ kind: 'list', items: items.map((item) => item.replaceAll(/\n */g, ' ')) }, all.length];
}

function leading(lines: readonly string[], belongs: (line: string) => boolean): readonly string[] {
  const end = lines.findIndex((line) => !belongs(line));
  return end === -1 ? lines : lines.slice(0, end);
}
