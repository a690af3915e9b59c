import { arrayOf, type Cursor, fields, quote, string, unique } from './json.ts';
import { type ACIdentifier, readACIdentifier } from './names.ts';

export interface Label {
  readonly name: ACIdentifier;
  readonly value: string;
}

/** The systems and architectures that appc has words for. */
const architecturesOf: ReadonlyMap<string, readonly string[]> = new Map([
  [
    'linux',
    ['amd64', 'i386', 'aarch64', 'aarch64_be', 'armv6l', 'armv7l', 'armv7b', 'ppc64', 'ppc64le', 's390x'],
  ],
  ['freebsd', ['amd64', 'i386', 'arm']],
  ['darwin', ['x86_64', 'i386']],
]);

export function labelValue(labels: readonly Label[], name: string): string | undefined {
  return labels.find((label) => label.name === name)?.value;
}

export function readLabels(at: Cursor): readonly Label[] {
  const labels = arrayOf(readLabel)(at);
  unique(at, labels, (label) => label.name, 'label');
  const problem = platformProblem(labels);
  if (problem !== undefined) throw at.refuse('invalid-value', at.path, problem);
  return labels;
}

/** What is wrong with the labels `os` and `arch`, if anything. Without `os`, `arch` says nothing to check. */
function platformProblem(labels: readonly Label[]): string | undefined {
  const os = labelValue(labels, 'os');
  const arch = labelValue(labels, 'arch');
  if (os === undefined) return undefined;
  const known = architecturesOf.get(os);
  if (!known) return `unknown os ${quote(os)}, expected one of ${[...architecturesOf.keys()].join(', ')}`;
  if (arch === undefined || known.includes(arch)) return undefined;
  return `unknown arch ${quote(arch)} for ${os}, expected one of ${known.join(', ')}`;
}

function readLabel(at: Cursor): Label {
  const label = fields(at);
  const name = label.required('name', readACIdentifier);
  // Image strings use `name` for the image itself: `name=example.com/app,os=linux`.
  if (name === 'name')
    throw at.refuse('invalid-value', `${at.path}.name`, 'a label must not be called "name"');
  return { name, value: label.optional('value', string) ?? '' };
}
