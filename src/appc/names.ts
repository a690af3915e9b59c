import { refuse } from './errors.ts';
import { type Grammar, quote, type Refuse, word } from './json.ts';

/** Names an app, volume, port or mount point inside a pod: `reduce-worker`. */
export type ACName = string & { readonly acName: true };

/** Names an image, label, annotation or isolator: `example.com/reduce-worker`. */
export type ACIdentifier = string & { readonly acIdentifier: true };

// The longest file name of Linux: an app's name is a directory of its pod.
const longestACName = 255;
const longestACIdentifier = 1024;

const acName: Grammar<ACName> = {
  noun: 'an AC name (lower case letters and digits, joined by single hyphens)',
  is: (text): text is ACName => text.length <= longestACName && /^[a-z0-9]+(-[a-z0-9]+)*$/.test(text),
};

const acIdentifier: Grammar<ACIdentifier> = {
  noun: 'an AC identifier (lower case letters and digits, joined by single - . _ ~ or /)',
  is: (text): text is ACIdentifier =>
    text.length <= longestACIdentifier && /^[a-z0-9]+([-._~/][a-z0-9]+)*$/.test(text),
};

export const readACName = word(acName);
export const readACIdentifier = word(acIdentifier);

/** Throws AppcError `invalid-value`. */
export function parseACName(text: string): ACName {
  return parseWord(acName, text);
}

export function isACName(text: string): text is ACName {
  return acName.is(text);
}

/** Throws AppcError `invalid-value`. */
export function parseACIdentifier(text: string): ACIdentifier {
  return parseWord(acIdentifier, text);
}

export function parseWord<T extends string>(grammar: Grammar<T>, text: string, fail: Refuse = refuse): T {
  return word(grammar)({ value: text, path: '', refuse: fail });
}

/** Makes an AC name of any text, as appc's own tools do, and further: runs of joiners become one hyphen. */
export function sanitizeACName(text: string): ACName {
  const name = trim(text.toLowerCase().replace(/[^a-z0-9]+/g, '-')).slice(0, longestACName);
  return parseSanitized(acName, trim(name), text);
}

/**
 * Makes an AC identifier of any text: lower case, `_` for what is not allowed, edges trimmed. Runs of
 * joiners become their first one, since an identifier has no two in a row.
 */
export function sanitizeACIdentifier(text: string): ACIdentifier {
  const legal = text.toLowerCase().replace(/[^a-z0-9\-._~/]/g, '_');
  const name = trim(legal.replace(/([-._~/])[-._~/]+/g, '$1')).slice(0, longestACIdentifier);
  return parseSanitized(acIdentifier, trim(name), text);
}

/** The name that an app gets from its image when it is given none: the last element of the image's name. */
export function appNameOf(imageName: ACIdentifier): ACName {
  return sanitizeACName(imageName.slice(imageName.lastIndexOf('/') + 1));
}

function trim(text: string): string {
  return text.replace(/^[-._~/]/, '').replace(/[-._~/]$/, '');
}

function parseSanitized<T extends string>(grammar: Grammar<T>, name: string, text: string): T {
  if (!grammar.is(name))
    throw refuse('invalid-value', '', `no valid character in ${quote(text)} to make a name of`);
  return name;
}
