import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { commandPages } from '../../tools/command-pages.ts';
import { manPages } from '../../tools/man-pages.ts';
import { ROOT } from './source-tree.ts';

test('every command has its page and its manual page, made from the table its help is made from', async () => {
  const commands = await commandPages();
  const manual = manPages(commands);
  const pages = [...commands, ...manual];
  const stale = pages.filter(({ path, text }) => {
    const file = join(ROOT, path);
    return !existsSync(file) || readFileSync(file, 'utf8') !== text;
  });
  expect(
    stale.map(({ path }) => path),
    'run npm run docs',
  ).toEqual([]);
  const found = readdirSync(join(ROOT, 'docs/man')).map((file) => `docs/man/${file}`);
  expect(found.sort()).toEqual(manual.map(({ path }) => path).sort());
});

const documents = execFileSync('git', ['ls-files', '-z', '*.md'], { cwd: ROOT, encoding: 'utf8' })
  .split('\0')
  .filter((path) => path !== '' && existsSync(join(ROOT, path)));

const CODE_BLOCK = /^```[\s\S]*?^```/gm;
const prose = (document: string) => readFileSync(join(ROOT, document), 'utf8').replaceAll(CODE_BLOCK, '');

/** The anchors that a page's headings are given where pages are shown: repeated ones are numbered. */
function anchorsOf(document: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, heading = ''] of prose(document).matchAll(/^#{1,6} +(.+?) *#*$/gm)) {
    const text = heading.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
    const anchor = text.replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '').replaceAll(' ', '-');
    let unique = anchor;
    for (let count = 1; anchors.has(unique); count++) unique = `${anchor}-${count}`;
    anchors.add(unique);
  }
  return anchors;
}

function isBroken(document: string, path: string, anchor: string | undefined): boolean {
  const target = path === '' ? document : join(dirname(document), path);
  if (!existsSync(join(ROOT, target))) return true;
  return anchor !== undefined && target.endsWith('.md') && !anchorsOf(target).has(anchor);
}

test('links between pages lead somewhere', () => {
  const broken = documents.flatMap((document) =>
    [...prose(document).matchAll(/\]\((?![a-z]+:)([^)#\s]*)(?:#([^)\s]*))?\)/g)]
      .filter(([, path = '', anchor]) => isBroken(document, path, anchor))
      .map(([link]) => `${document} -> ${link.slice(2, -1)}`),
  );
  expect(broken).toEqual([]);
});
