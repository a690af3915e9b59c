import { decodeCharacterReferences } from './character-references.ts';

export interface MetaTag {
  readonly name: string;
  readonly content: string;
}

/** Elements whose content is text up to their end tag, as a tokenizer without scripts reads them. */
const TEXT_ELEMENTS: ReadonlySet<string> = new Set([
  ...['script', 'style', 'textarea', 'title', 'xmp', 'iframe', 'noembed', 'noframes', 'noscript'],
]);

const SPACES = /[\t\n\f\r ]*/y;

interface Tag {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly end: number;
}

/**
 * The `<meta name content>` tags of a page in their order, wherever they stand. As browsers do it takes what people write: any case
 * and quoting, attributes in any order, tags that are never closed; comments and scripts are skipped. It passes over the page once,
 * whatever is in it: what is not closed ends the page.
 */
export function metaTags(html: string): MetaTag[] {
  const found: MetaTag[] = [];
  let at = html.indexOf('<');
  while (at !== -1) {
    const next = markupEnd(html, at, found);
    if (next === undefined) break;
    at = html.indexOf('<', next);
  }
  return found;
}

/** Where the markup that begins at a `<` ends, undefined if nowhere. Adds to `found` what it is looking for. */
function markupEnd(html: string, at: number, found: MetaTag[]): number | undefined {
  const empty = match(/<!---?>/y, html, at);
  if (empty !== undefined) return at + empty.length;
  if (html.startsWith('<!--', at)) return endOf(/--!?>/g, html, at + '<!--'.length);
  // `<!DOCTYPE html>`, and what browsers take for a comment too.
  if (match(/<(?:[!?]|\/[^a-z])/iy, html, at) !== undefined) return endOf(/>/g, html, at);
  const isEndTag = html[at + 1] === '/';
  const tag = readTag(html, at + (isEndTag ? 2 : 1));
  if (tag === 'none') return at + 1;
  if (tag === undefined || isEndTag) return tag?.end;
  const [name, content] = [tag.attributes.get('name'), tag.attributes.get('content')];
  if (tag.name === 'meta' && name !== undefined && content !== undefined) found.push({ name, content });
  if (tag.name === 'plaintext') return undefined;
  return TEXT_ELEMENTS.has(tag.name)
    ? endOf(new RegExp(`(?=</${tag.name}[\\t\\n\\f\\r />])`, 'gi'), html, tag.end)
    : tag.end;
}

/** The tag whose name begins here; `none` where there is no tag, undefined where it does not end. */
function readTag(html: string, start: number): Tag | 'none' | undefined {
  const name = match(/[a-z][^\t\n\f\r />]*/iy, html, start);
  if (name === undefined) return 'none';
  const attributes = new Map<string, string>();
  let at = start + name.length;
  for (;;) {
    at = skip(/[\t\n\f\r /]*/y, html, at);
    if (at >= html.length) return undefined;
    if (html[at] === '>') return { name: name.toLowerCase(), attributes, end: at + 1 };
    // An equals sign that begins an attribute is part of its name.
    const key = match(/=?[^\t\n\f\r />=]*/y, html, at) ?? '';
    const value = readValue(html, skip(SPACES, html, at + key.length));
    if (value === undefined) return undefined;
    // The first of several counts.
    if (!attributes.has(key.toLowerCase())) attributes.set(key.toLowerCase(), value.text);
    at = value.end;
  }
}

/** What follows an attribute's name: nothing, or an equals sign and a value. Undefined where a quotation does not end. */
function readValue(html: string, at: number): { readonly text: string; readonly end: number } | undefined {
  if (html[at] !== '=') return { text: '', end: at };
  const start = skip(SPACES, html, at + 1);
  const quote = html[start];
  if (quote !== '"' && quote !== "'") {
    const raw = match(/[^\t\n\f\r >]*/y, html, start) ?? '';
    return { text: decodeCharacterReferences(raw), end: start + raw.length };
  }
  const end = html.indexOf(quote, start + 1);
  if (end === -1) return undefined;
  return { text: decodeCharacterReferences(html.slice(start + 1, end)), end: end + 1 };
}

function endOf(pattern: RegExp, html: string, from: number): number | undefined {
  pattern.lastIndex = from;
  return pattern.test(html) ? pattern.lastIndex : undefined;
}

function match(pattern: RegExp, html: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(html)?.[0];
}

function skip(pattern: RegExp, html: string, at: number): number {
  return at + (match(pattern, html, at)?.length ?? 0);
}
