/** /proc/PID/mountinfo, as proc(5) has it. */
import { readText } from './contents.ts';

export interface MountEntry {
  readonly id: number;
  readonly parent: number;
  /** `major:minor`. */
  readonly device: string;
  /** Which directory of the file system is mounted. */
  readonly root: string;
  readonly target: string;
  readonly options: readonly string[];
  /** `shared:N`, `master:N`, `propagate_from:N`, `unbindable`. */
  readonly propagation: readonly string[];
  readonly type: string;
  readonly source: string;
  readonly superOptions: readonly string[];
}

const MAX = 64 * 1024 * 1024;

/** The mounts this process sees, parents before children. */
export function mountTable(path = '/proc/self/mountinfo'): MountEntry[] {
  return parseMountInfo(readText(path, MAX));
}

export function parseMountInfo(text: string): MountEntry[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map(parseLine);
}

function parseLine(line: string): MountEntry {
  const [left = '', right = ''] = line.split(' - ', 2);
  const [id, parent, device, root, target, options, ...propagation] = left.split(' ');
  const [type, source, superOptions] = right.split(' ');
  if (
    device === undefined ||
    root === undefined ||
    target === undefined ||
    options === undefined ||
    type === undefined
  ) {
    throw new Error(`bad mountinfo line '${line}'`);
  }
  return {
    id: Number(id),
    parent: Number(parent),
    device,
    root: unescapeOctal(root),
    target: unescapeOctal(target),
    options: options.split(','),
    propagation,
    type,
    source: unescapeOctal(source ?? ''),
    superOptions: superOptions?.split(',') ?? [],
  };
}

/** Blanks, newlines and backslashes are written as three octal digits. */
function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
