import { type Cursor, quote, type Refuse } from './json.ts';

/**
 * What a document may cost its reader. Characters are checked before parsing, depth and the number of values
 * before anything is read.
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
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw refuse('not-json', '', `not JSON: ${cause instanceof Error ? cause.message : quote(text)}`, cause);
  }
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
    if (values > limits.values) throw refuse('too-large', '', `more than ${limits.values} values`);
    const next: unknown[] = [];
    for (const item of level) {
      if (typeof item !== 'object' || item === null) continue;
      for (const child of Object.values(item)) next.push(child);
    }
    level = next;
  }
}
