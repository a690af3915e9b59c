import { describe, expect, test } from 'vitest';
import { metaTags } from '../../../../src/image/discovery/meta-tags.ts';
import { processorTime } from '../../../support/processor-time.ts';

const contents = (html: string) => metaTags(html).map(({ content }) => content);

describe('as people write them', () => {
  test.each([
    ['double quotes', '<meta name="n" content="c d">', ['c d']],
    ['single quotes', "<meta name='n' content='c d'>", ['c d']],
    ['quotes in quotes', `<meta name='n' content='a "b"'>`, ['a "b"']],
    ['no quotes', '<meta name=n content=c>', ['c']],
    ['no quotes, before a slash', '<meta name=n content=http://a/b/>', ['http://a/b/']],
    ['the other order', '<meta content="c" name="n">', ['c']],
    ['other attributes', '<meta charset=x name=n data-content="d" content=c async>', ['c']],
    ['upper case', '<META NAME="n" CONTENT="C">', ['C']],
    ['lines between', '<meta\n\tname\r\n=\f"n"\n content = "c"\n>', ['c']],
    ['closed at once', '<meta name="n" content="c"/>', ['c']],
    ['nothing between attributes', '<meta name="n"content="c">', ['c']],
    ['an angle bracket in a value', '<meta name="n" content="a>b<c">', ['a>b<c']],
    ['empty', '<meta name=n content="">', ['']],
    ['several', '<meta name=n content=a><p><meta name=n content=b></p>', ['a', 'b']],
    ['twice the same attribute: the first counts', '<meta name=n content=a content=b>', ['a']],
    ['after a tag that is never closed', '<p><b><div <i><meta name=n content=c>', ['c']],
    ['after a lone bracket', 'a < b <3 <> <meta name=n content=c>', ['c']],
    ['behind a doctype', '<!DOCTYPE html>\n<html><head><meta name=n content=c>', ['c']],
    ['behind an XML declaration', '<?xml version="1.0"?><meta name=n content=c>', ['c']],
  ])('%s', (_, html, expected) => {
    expect(contents(html)).toEqual(expected);
  });

  test.each([
    ['&amp;', '&'],
    ['a&#61;b', 'a=b'],
    ['a&#x2F;b', 'a/b'],
    ['a&#X2f;b', 'a/b'],
    ['&quot;&apos;&lt;&gt;', `"'<>`],
    ['https&colon;&sol;&sol;h/&lcub;name&rcub;', 'https://h/{name}'],
    ['?a=1&lt=2&copy=3', '?a=1&lt=2&copy=3'],
    ['&amp;lt;', '&lt;'],
    ['&unknown; &; &#; &#x; &', '&unknown; &; &#; &#x; &'],
    ['&#0;&#xd800;&#x110000;', '\ufffd\ufffd\ufffd'],
  ])('decodes %s', (written, expected) => {
    expect(contents(`<meta name=n content="${written}">`)).toEqual([expected]);
  });
});

describe('what is no tag of the page', () => {
  const TAG = '<meta name=n content=c>';
  test.each([
    ['without a name', '<meta content=c>'],
    ['without content', '<meta name=n>'],
    ['of another name', '<metadata name=n content=c>'],
    ['an end tag', '</meta name=n content=c>'],
    ['never finished', '<meta name=n content=c'],
    ['a quotation never finished', `<meta name="n content='c'>`],
    ['in a comment', `<!-- ${TAG} -->`],
    ['in a comment with brackets', `<!-- > ${TAG} -- > -->`],
    ['in a comment that is never closed', `<!-- ${TAG}`],
    ['in a comment with a false beginning', `<!--- ${TAG} --->`],
    ['in a declaration', '<!meta name=n content=c>'],
    ['in what browsers take for a comment', '</ meta name=n content=c>'],
    ['in a script', `<script>var s = '${TAG}';</script>`],
    ['in a script in upper case', `<SCRIPT type=x>${TAG}</sCript >`],
    ['in a script that is never closed', `<script>${TAG}</scripts>`],
    ['in a style', `<style>${TAG}</style>`],
    ['in a title', `<title>${TAG}</title>`],
    ['in a text field', `<textarea>${TAG}</textarea>`],
    ['for browsers without scripts', `<noscript>${TAG}</noscript>`],
    ['behind plain text', `<plaintext>${TAG}`],
    ['in an attribute', `<p title="${TAG}">`],
  ])('%s', (_, html) => {
    expect(metaTags(html)).toEqual([]);
  });

  test.each([
    `<!-->${TAG}`,
    `<!--->${TAG}`,
    `<!---->${TAG}`,
    `<!-- a --!>${TAG}`,
    `<!-- <!-- -->${TAG}`,
    `<script></script>${TAG}`,
    `<script></script/>${TAG}`,
    `<style>a > b {}</style\n>${TAG}`,
    `</>${TAG}`,
    `</p title=">">${TAG}`,
  ])('%j ends before the tag', (html) => {
    expect(contents(html)).toEqual(['c']);
  });
});

test.each([
  ['brackets', '<'],
  ['beginnings of comments', '<!--'],
  ['ends of comments', '<!-- -->'],
  ['half-open comments', '<!-- --!'],
  ['tags that do not end', '<a '],
  ['scripts', '<script>'],
  ['ends of scripts', '<script></script'],
  ['quotations', '<a b="'],
  ['attributes', '<a b=c '],
  ['equals signs', '<a ='],
  ['slashes', '<a /'],
  ['spaces', '<a      '],
  ['ampersands', '<meta name=n content="&#&#&'],
])('a page of 1 MiB of %s is passed over once', (_, piece) => {
  const page = piece.repeat(Math.floor((1024 * 1024) / piece.length));
  // Twice over each character for each of them would be hours.
  expect(processorTime(() => metaTags(page))).toBeLessThan(10_000);
});
