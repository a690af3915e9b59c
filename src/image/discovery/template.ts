import { type ImageName, type Label, labelValue } from '../../appc/index.ts';
import { quote } from '../../appc/json.ts';
import { hostPlatform } from '../../os/host-platform.ts';
import { ImageError } from '../error.ts';
import { percentEncode } from '../percent.ts';

/** The address of an image, and that of its file's signature. */
export interface AciEndpoint {
  readonly aci: string;
  readonly signature: string;
}

/** Bounds the work that a page and a stranger's dependency can make together. */
const LONGEST_VALUE = 1024;
const VARIABLE = /\{([^{}]*)\}/g;
/** The file extensions that stand for `{ext}`. */
const EXTENSIONS = { aci: 'aci', signature: 'aci.asc' } as const;
const DEFAULT_VERSION = 'latest';

/**
 * The two texts that a template of `ac-discovery` stands for. Values are percent-encoded, but for the name, which is made of what URLs
 * are made of, and whose slashes are meant. All is filled in in one go, so that no value is a template itself. @throws ImageError bad-answer
 */
export function renderTemplate(template: string, { name, labels }: ImageName): AciEndpoint {
  const variables = [...template.matchAll(VARIABLE)].map(([, variable = '']) => variable);
  // The image and its signature would be one file.
  if (!variables.includes('ext')) throw unusable(`template ${quote(template)} has no {ext}`);
  const values = new Map<string, string>([['name', name]]);
  for (const variable of variables) {
    if (variable === 'ext' || variable === 'name') continue;
    const value = filling(variable, labels);
    if (value === undefined)
      throw unusable(`template ${quote(template)} asks for the label ${quote(variable)}`);
    if (!isSegment(value)) throw unusable(`label ${quote(variable)} cannot be put in a URL: ${quote(value)}`);
    values.set(variable, percentEncode(value));
  }
  const filled = (ext: string) =>
    template.replace(VARIABLE, (_, variable: string) =>
      variable === 'ext' ? ext : (values.get(variable) ?? ''),
    );
  return { aci: filled(EXTENSIONS.aci), signature: filled(EXTENSIONS.signature) };
}

function unusable(problem: string): ImageError {
  return new ImageError('bad-answer', problem);
}

/** What the caller did not ask for is the host's, or the latest. */
function filling(variable: string, labels: readonly Label[]): string | undefined {
  const value = labelValue(labels, variable);
  if (variable === 'version') return value || DEFAULT_VERSION;
  if (variable === 'os' || variable === 'arch') return value ?? hostPlatform[variable];
  return value;
}

// A path with `..` in it is another path by the time it is asked for.
function isSegment(value: string): boolean {
  return value.length <= LONGEST_VALUE && value !== '.' && value !== '..';
}
