import { refuse } from './errors.ts';
import { arrayOf, type Cursor, fields, quote, string, unique } from './json.ts';
import { type ACIdentifier, readACIdentifier } from './names.ts';

export interface Annotation {
  readonly name: ACIdentifier;
  readonly value: string;
}

export function annotationValue(annotations: readonly Annotation[], name: string): string | undefined {
  return annotations.find((annotation) => annotation.name === name)?.value;
}

export function readAnnotations(at: Cursor): readonly Annotation[] {
  const annotations = arrayOf(readAnnotation)(at);
  unique(at, annotations, (annotation) => annotation.name, 'annotation');
  return annotations;
}

/** Takes a list of name and value. Throws AppcError with the index of what is wrong. */
export function parseAnnotations(list: unknown): readonly Annotation[] {
  return readAnnotations({ value: list, path: '', refuse });
}

const rules: ReadonlyMap<string, { readonly noun: string; readonly is: (value: string) => boolean }> =
  new Map([
    ['created', { noun: 'a date of RFC 3339', is: isDate }],
    ['homepage', { noun: 'an http or https URL', is: isWebAddress }],
    ['documentation', { noun: 'an http or https URL', is: isWebAddress }],
  ]);

function readAnnotation(at: Cursor): Annotation {
  const annotation = fields(at);
  const name = annotation.required('name', readACIdentifier);
  const value = annotation.optional('value', string) ?? '';
  const rule = rules.get(name);
  if (rule && !rule.is(value)) {
    throw at.refuse(
      'invalid-value',
      `${at.path}.value`,
      `expected ${rule.noun} in ${name}, got ${quote(value)}`,
    );
  }
  return { name, value };
}

export function isDate(text: string): boolean {
  return (
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)$/.test(text) &&
    !Number.isNaN(Date.parse(text.replace(/\.\d+/, '')))
  );
}

// QuickJS has no URL: only what appc asks for is checked, a scheme and a host.
function isWebAddress(text: string): boolean {
  return /^https?:\/\/[^\s/?#]+\S*$/i.test(text);
}
