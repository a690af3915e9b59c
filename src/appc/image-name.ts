import { refuse } from './errors.ts';
import { quote } from './json.ts';
import { type Label, labelValue } from './labels.ts';
import { type ACIdentifier, parseACIdentifier } from './names.ts';

/** An image asked for by name: `example.com/app:1.0,os=linux`. The version is a label like any other. */
export interface ImageName {
  readonly name: ACIdentifier;
  readonly labels: readonly Label[];
}

/** Values stand as they are, without any encoding, as in rkt. Throws AppcError `invalid-value`, `duplicate`. */
export function parseImageName(text: string): ImageName {
  const [head = '', ...rest] = text.split(',');
  const [name = '', version, ...more] = head.split(':');
  if (more.length > 0) throw malformed(text, 'a colon may appear only once');
  const labels = rest.map((part) => parseLabel(part, text));
  if (version !== undefined) labels.unshift({ name: parseACIdentifier('version'), value: version });
  refuseDuplicates(labels, text);
  return { name: parseACIdentifier(name), labels };
}

/**
 * The version after a colon, then the other labels in order. parseImageName reads it back, unless a value
 * has a comma or a colon: image strings have no way to write those.
 */
export function formatImageName({ name, labels }: ImageName): string {
  const version = labelValue(labels, 'version');
  const others = labels.filter((label) => label.name !== 'version');
  const head = version === undefined ? name : `${name}:${version}`;
  return [head, ...others.map((label) => `${label.name}=${label.value}`)].join(',');
}

function parseLabel(part: string, text: string): Label {
  const equals = part.indexOf('=');
  if (equals < 0) throw malformed(text, `label ${quote(part)} has no value`);
  const name = parseACIdentifier(part.slice(0, equals));
  if (name === 'name') throw malformed(text, 'a label must not be called "name"');
  const value = part.slice(equals + 1);
  if (value.includes(':')) throw malformed(text, 'a colon may appear only right after the name');
  return { name, value };
}

function refuseDuplicates(labels: readonly Label[], text: string): void {
  const names = labels.map((label) => label.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) {
    throw refuse('duplicate', '', `image name ${quote(text)}: label ${quote(twice)} is given twice`);
  }
}

function malformed(text: string, problem: string): Error {
  return refuse('invalid-value', '', `image name ${quote(text)}: ${problem}`);
}
