import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';
import { commandPages } from '../../tools/command-pages.ts';
import { ROOT } from './source-tree.ts';

test('every command has its page, made from the table its help is made from', async () => {
  const pages = await commandPages();
  const stale = pages.filter(({ path, text }) => {
    const file = join(ROOT, path);
    return !existsSync(file) || readFileSync(file, 'utf8') !== text;
  });
  expect(
    stale.map(({ path }) => path),
    'run npm run docs',
  ).toEqual([]);
});

test('links between pages lead somewhere', async () => {
  const pages = (await commandPages()).map(({ path }) => path);
  const documents = [
    'README.md',
    'docs/README.md',
    'docs/virtual-machines.md',
    'docs/differences.md',
    ...pages,
  ];
  const broken = documents.flatMap((document) => {
    const links = readFileSync(join(ROOT, document), 'utf8').matchAll(/\]\((?!https?:)([^)#]+)(#[^)]*)?\)/g);
    return [...links]
      .map((link) => join(dirname(document), link[1] ?? ''))
      .filter((target) => !existsSync(join(ROOT, target)))
      .map((target) => `${document} -> ${target}`);
  });
  expect(broken).toEqual([]);
});
