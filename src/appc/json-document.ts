import type { Cursor, Refuse } from './json.ts';
import { withoutControls } from './quotation.ts';

/**
 * What a document may cost its reader. Characters and the number of values are checked before parsing, depth before anything is
 * read.
 */
export interface JsonLimits {
  readonly characters: number;
  readonly depth: number;
  readonly values: number;
}

/** Generous, since the pathWhitelist of a converted image lists every file that it has. */
export const manifestLimits: JsonLimits = { characters: 32 * 1024 * 1024, depth: 32, values: 1_000_000 };

/** The text of a document, as far as it may be one. Throws by `refuse`: `not-json`, `too-large`. */
export function parseJsonText(text: string, refuse: Refuse, limits: JsonLimits = manifestLimits): unknown {
  if (text.length > limits.characters) {
    throw refuse('too-large', '', `${text.length} characters, at most ${limits.characters} are allowed`);
  }
  // Before there are objects: 32 MB of `{},{},` are a gigabyte of them.
  if (countValues(text, limits.values) > limits.values) throw tooMany(refuse, limits);
  try {
    return JSON.parse(text);
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : String(cause);
    throw refuse('not-json', '', `not JSON: ${withoutControls(problem)}`, cause);
  }
}

/** The number of values in a text, if it is JSON; counting ends when there are more than `limit`. */
function countValues(text: string, limit: number): number {
  let values = 1;
  let last = '';
  for (let at = 0; at < text.length && values <= limit; at++) {
    const character = text.charAt(at);
    if (' \t\n\r'.includes(character)) continue;
    const isFirst = (last === '[' && character !== ']') || (last === '{' && character !== '}');
    if (isFirst || character === ',') values += 1;
    if (character === '"') at = endOfString(text, at);
    last = character;
  }
  return values;
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '"') return at;
    if (character === '\\') at += 1;
  }
  return text.length;
}

/** A cursor at the top of a document, once it is known to be within the limits. */
export function documentCursor(value: unknown, refuse: Refuse, limits: JsonLimits = manifestLimits): Cursor {
  measure(value, refuse, limits);
  return { value, path: '', refuse };
}

// Level by level rather than recursively: a deep document must not cost this program its stack.
function measure(value: unknown, refuse: Refuse, limits: JsonLimits): void {
  let level: unknown[] = [value];
  let values = 0;
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limits.depth) throw refuse('too-large', '', `nested deeper than ${limits.depth} levels`);
    values += level.length;
    if (values > limits.values) throw tooMany(refuse, limits);
    const next: unknown[] = [];
    for (const item of level) {
      if (typeof item !== 'object' || item === null) continue;
      for (const child of Object.values(item)) next.push(child);
    }
    level = next;
  }
}

function tooMany(refuse: Refuse, { values }: JsonLimits): Error {
  return refuse('too-large', '', `more than ${values} values`);
}
