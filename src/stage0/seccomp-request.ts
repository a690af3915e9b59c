/** `--seccomp`: from its text to an isolator. */
import { AppcError, type Isolator, type IsolatorOf, parseIsolator } from '../appc/index.ts';
import { Stage0Error } from './errors.ts';

export type SeccompRequest = IsolatorOf<'seccomp'> | IsolatorOf<'seccomp-profile'>;

const MODES: ReadonlyMap<string, string> = new Map([
  ['retain', 'os/linux/seccomp-retain-set'],
  ['remove', 'os/linux/seccomp-remove-set'],
]);

/** What a filter that is no profile is made of: the words before a `=`, and what may follow. */
export const SECCOMP_WORDS: Readonly<Record<string, readonly string[]>> = {
  mode: [...MODES.keys()],
  errno: [],
};

/**
 * `mode=retain|remove[,errno=E],CALL,...` as in rkt, in any order, or `profile=FILE`, whose text `read` gives. Throws Stage0Error
 * `bad-request`, and what `read` throws.
 */
export function parseSeccomp(text: string, read: (path: string) => string): SeccompRequest {
  const profile = /^profile=(.+)$/.exec(text)?.[1];
  return profile === undefined ? setOf(text) : profileOf(profile, read(profile));
}

function setOf(text: string): SeccompRequest {
  const words = text.split(',');
  const settings = new Map<string, string>();
  for (const word of words.filter((candidate) => candidate.includes('='))) {
    const [key = '', value = ''] = word.split(/=(.*)/s);
    if (key !== 'mode' && key !== 'errno')
      throw refused(`${JSON.stringify(word)} is neither mode=... nor errno=...`);
    if (settings.has(key)) throw refused(`${key} is given twice`);
    settings.set(key, value);
  }
  const name = MODES.get(settings.get('mode') ?? '');
  if (name === undefined) throw refused(`mode=retain or mode=remove is required, or profile=FILE alone`);
  const set = words.filter((word) => !word.includes('='));
  return isolator(name, { set, errno: settings.get('errno') }, '');
}

function profileOf(path: string, text: string): SeccompRequest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw refused(`${path}: not JSON`, cause);
  }
  return isolator('coreos.com/rkt/seccomp-profile', value, `${path}: `);
}

function isolator(name: string, value: unknown, where: string): SeccompRequest {
  let parsed: Isolator;
  try {
    parsed = parseIsolator({ name, value });
  } catch (cause) {
    if (!(cause instanceof AppcError)) throw cause;
    // Without the cause, which says the same of a manifest.
    throw refused(`${where}${cause.message.replace(/^value\./, '')}`);
  }
  if (parsed.kind === 'seccomp' || parsed.kind === 'seccomp-profile') return parsed;
  throw new TypeError(`${name} is no filter`);
}

function refused(message: string, cause?: unknown): Stage0Error {
  return new Stage0Error('bad-request', `--seccomp: ${message}`, { cause });
}
