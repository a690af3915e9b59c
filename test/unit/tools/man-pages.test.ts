import { describe, expect, it } from 'vitest';
import { manPages } from '../../../tools/man-pages.ts';
import { blocksOf } from '../../../tools/markdown-blocks.ts';

const PAGE = `# rkt box

<!-- from src/cli: npm run docs -->
put things in

    rkt box [FLAGS] THING

### Flags

| flag | |
|---|---|
| \`--a=x\\|y\` | one of two |
<!-- end -->

.Dots begin **requests**, see [the other](other.md#part) page of
this \`back\\slash\`.

- one
  goes on
- two

    first

    .second
After.
`;

describe('the pieces of a page', () => {
  it('are told apart', () => {
    expect(blocksOf(PAGE)).toEqual([
      { kind: 'heading', text: 'rkt box' },
      { kind: 'paragraph', text: 'put things in' },
      { kind: 'code', lines: ['rkt box [FLAGS] THING'] },
      { kind: 'heading', text: 'Flags' },
      { kind: 'table', rows: [['`--a=x|y`', 'one of two']] },
      {
        kind: 'paragraph',
        text: '.Dots begin **requests**, see [the other](other.md#part) page of this `back\\slash`.',
      },
      { kind: 'list', items: ['one goes on', 'two'] },
      { kind: 'code', lines: ['first', '', '.second'] },
      { kind: 'paragraph', text: 'After.' },
    ]);
  });

  it('may be fenced', () => {
    expect(blocksOf('```json\n{}\n\n# no heading\n```\ntext')).toEqual([
      { kind: 'code', lines: ['{}', '', '# no heading'] },
      { kind: 'paragraph', text: 'text' },
    ]);
  });
});

it('becomes a manual page in which no text is a request', () => {
  const [page] = manPages([{ path: 'docs/commands/box.md', text: PAGE }]);
  expect(page?.path).toBe('docs/man/rkt-box.1');
  expect(page?.text.split('\n').slice(1)).toEqual([
    '.TH RKT-BOX 1 "" rkt "rkt manual"',
    '.SH NAME',
    'rkt\\-box \\- put things in',
    '.SH SYNOPSIS',
    'rkt box [FLAGS] THING',
    '.SH FLAGS',
    '.TP',
    '\\fB\\-\\-a=x|y\\fR',
    'one of two',
    '.SH DESCRIPTION',
    '\\&.Dots begin \\fBrequests\\fR, see the other page of this \\fBback\\eslash\\fR.',
    '.IP \\(bu 2',
    'one goes on',
    '.IP \\(bu 2',
    'two',
    '.PP',
    '.nf',
    '.RS 4',
    'first',
    '',
    '\\&.second',
    '.RE',
    '.fi',
    '.PP',
    'After.',
    '.SH SEE ALSO',
    '.BR rkt (1)',
    '',
  ]);
});
