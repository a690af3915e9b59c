import { arrayOf, type Cursor, fields, type Refuse, string } from '../../appc/json.ts';
import { documentCursor, parseJsonText } from '../../appc/json-document.ts';
import { ImageError } from '../error.ts';

const LIMITS = { characters: 64 * 1024, depth: 16, values: 1000 };
const MOST_ERRORS = 3;
const LONGEST_DETAIL = 200;
/** Blanks and what no terminal shows. */
const BLANKS = /[^\p{L}\p{M}\p{N}\p{P}\p{S}]+/gu;

const refuse: Refuse = (_code, path, problem) => new ImageError('bad-answer', `${path}: ${problem}`);

/**
 * What a registry or its token server says of a failure (distribution-spec, "Error Codes"), short and in characters that a
 * terminal only shows; empty where it says nothing that is understood.
 */
export function errorDetail(text: string): string {
  try {
    const at = documentCursor(parseJsonText(text, refuse, LIMITS), refuse, LIMITS);
    return readDetail(at).replaceAll(BLANKS, ' ').trim().slice(0, LONGEST_DETAIL);
  } catch {
    return '';
  }
}

function readDetail(at: Cursor): string {
  const body = fields(at);
  const errors = body.optional('errors', arrayOf(readError)) ?? [];
  // Token servers have forms of their own, one of them OAuth's (RFC 6749, 5.2).
  const others = ['details', 'message', 'error', 'error_description'].map((key) =>
    body.optional(key, textOnly),
  );
  return [...errors.slice(0, MOST_ERRORS), ...others].filter((part) => part).join(', ');
}

/** Some have an object where others have words. */
function textOnly({ value }: Cursor): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function readError(at: Cursor): string {
  const error = fields(at);
  const parts = [error.optional('code', string), error.optional('message', string)];
  return parts.filter((part) => part).join(': ');
}
