import { refuse } from './errors.ts';
import { quote } from './json.ts';
import { type Label, labelValue } from './labels.ts';
import { type ACIdentifier, parseACIdentifier } from './names.ts';

/** What discovery looks for (appc 0.8.11, discovery.md). The labels are in the order of their names: equal names are written equally. */
export interface ImageName {
  readonly name: ACIdentifier;
  readonly labels: readonly Label[];
}

/** The labels that people look for first, as rkt writes them. */
const FIRST = ['version', 'os', 'arch'];

/**
 * Takes the image string of appc's own tools: `example.com/app[:version][,label=value...]`. A colon stands before the first comma only,
 * so a label's value has neither. Throws AppcError `invalid-value`, `duplicate`.
 */
export function parseImageName(text: string): ImageName {
  const [first = '', ...rest] = text.split(',');
  const [name = '', ...versions] = first.split(':');
  if (versions.length > 1) throw bad(`more than one colon in ${quote(text)}`);
  if (rest.some((label) => label.includes(':')))
    throw bad(`a colon stands only right after the name, not as in ${quote(text)}`);
  const version = versions.map((value): Label => ({ name: parseACIdentifier('version'), value }));
  return imageNameOf(parseACIdentifier(name), [...version, ...rest.map(parseLabel)]);
}

/** For people: the version behind a colon, then `os`, `arch` and the others by name. What `parseImageName` takes, unless a label's value has a comma or a colon. */
export function formatImageName({ name, labels }: ImageName): string {
  const version = labelValue(labels, 'version');
  const rank = (label: Label) => (FIRST.includes(label.name) ? FIRST.indexOf(label.name) : FIRST.length);
  const others = labels.filter((label) => label.name !== 'version').sort((a, b) => rank(a) - rank(b));
  const written = others.map((label) => `,${label.name}=${label.value}`);
  return [name, ...(version === undefined ? [] : [`:${version}`]), ...written].join('');
}

/** Takes labels in any order, such as a dependency's. Throws AppcError `invalid-value`, `duplicate`. */
export function imageNameOf(name: ACIdentifier, labels: readonly Label[]): ImageName {
  const sorted = [...labels].sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const [index, label] of sorted.entries()) {
    if (label.name === 'name') throw bad('a label must not be called "name"');
    if (label.name === sorted[index + 1]?.name)
      throw refuse('duplicate', '', `label ${quote(label.name)} is given more than once`);
    // JSON can spell half a character, which no URL can.
    if (/\p{Surrogate}/u.test(label.value))
      throw bad(`label ${quote(label.name)} has a value that is not Unicode: ${quote(label.value)}`);
  }
  return { name, labels: sorted };
}

function parseLabel(text: string): Label {
  const equals = text.indexOf('=');
  if (equals === -1) throw bad(`label ${quote(text)} has no value`);
  return { name: parseACIdentifier(text.slice(0, equals)), value: text.slice(equals + 1) };
}

function bad(problem: string): Error {
  return refuse('invalid-value', '', problem);
}
