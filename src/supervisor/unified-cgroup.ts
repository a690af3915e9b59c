/** Where in a v2 hierarchy the pod's group may be: a group with processes cannot have groups with controllers below it. */
import { type Membership, parseMemberships } from '../native/cgroup-layout.ts';
import {
  type Controller,
  delegateControllers,
  type GroupDirectory,
  ownCgroups,
  processesOf,
  withdrawControllers,
} from '../native/cgroups.ts';
import { readText, readTextIfPresent, writeControl } from '../native/contents.ts';
import { SystemError, unless } from '../native/errors.ts';
import { extendedAttribute } from '../native/extended-attributes.ts';
import { mkdir, rmdir } from '../native/paths.ts';
import { getpid } from '../native/processes.ts';
import { exists } from '../native/stat.ts';
import { enterScope, LIMIT_FILES, type LimitTexts, sliceOf } from './systemd-scope.ts';

/** The cgroup that this process is in. */
export interface OwnGroup {
  /** As /proc tells it. */
  readonly path: string;
  readonly directory: string;
  /** The root of all is the one that may have both processes and groups with controllers. */
  readonly isRoot: boolean;
  readonly isAlone: boolean;
  /** systemd has promised to leave what is below alone. */
  readonly isDelegated: boolean;
}

/** `below`: the pod's group is made in it. `beside`: so, after this process has gone to another in it. */
export type Division = 'below' | 'beside' | 'scope';

/**
 * What systemd made and did not delegate it may set up anew at any time, and so undo what is below. Of groups that
 * somebody else made, one without other processes is ours to divide.
 */
export function divisionOf({ path, isRoot, isAlone, isDelegated }: OwnGroup): Division {
  if (isRoot) return 'below';
  const isUnit = /\.(service|scope)$/.test(path);
  return isAlone && (isDelegated || !isUnit) ? 'beside' : 'scope';
}

export type Parent =
  | { readonly kind: 'parent'; readonly directory: string; readonly division: 'below' | 'beside' }
  | { readonly kind: 'none'; readonly reason: string };

/** Finds the directory that the pod's group may be made in, or has systemd make one. */
export function findParent(uuid: string): Parent {
  const own = ownGroup();
  if (own === undefined) return { kind: 'none', reason: 'no cgroup hierarchy is mounted' };
  const division = divisionOf(own);
  if (division !== 'scope') return { kind: 'parent', directory: own.directory, division };
  const refusal = enterScope({
    uuid,
    pid: getpid(),
    slice: sliceOf(own.path),
    limits: limitsUpToSlice(own),
  });
  const now = refusal === undefined ? ownGroup() : own;
  if (now?.isAlone) return { kind: 'parent', directory: now.directory, division: 'beside' };
  const reason = `rkt is not alone in its cgroup ${own.directory}, which therefore cannot be divided`;
  return { kind: 'none', reason: refusal === undefined ? reason : `${reason}, and ${refusal}` };
}

/** Goes to `leaf`, a group in `directory`, and gives the controllers to the groups in there. */
export function stepAside(directory: string, leaf: string, controllers: readonly Controller[]): void {
  mkdir(leaf, 0o755);
  writeControl(`${leaf}/cgroup.procs`, '0');
  delegateControllers(directory, controllers);
}

/** The other way round, with those who outlive this process: `leaf` is the pod's, and goes with that. Where it fails, somebody else is at work in there, or the group ends with this process. */
export function stepBack(directory: string, leaf: string, controllers: readonly Controller[]): void {
  try {
    withdrawControllers(directory, controllers);
    const all = processesOf({ directories: [{ controller: 'unified', path: leaf }] });
    for (const pid of all) unless(['ESRCH'], () => writeControl(`${directory}/cgroup.procs`, String(pid)));
    rmdir(leaf);
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
  }
}

/** Those of the wanted that a group has to give. */
export function availableControllers(
  directory: string,
  wanted: readonly GroupDirectory['controller'][],
): Controller[] {
  const available = readText(`${directory}/cgroup.controllers`).trim().split(' ');
  return wanted.filter((name): name is Controller => available.includes(name));
}

function ownGroup(): OwnGroup | undefined {
  const directory = ownCgroups().places.find((place) => place.version === 2)?.directory;
  const isUnified = ({ controllers }: Membership) => controllers.length === 0;
  const path = parseMemberships(readText('/proc/self/cgroup')).find(isUnified)?.path;
  if (directory === undefined || path === undefined) return undefined;
  return {
    path,
    directory,
    isRoot: !exists(`${directory}/cgroup.type`),
    isAlone: readText(`${directory}/cgroup.procs`).trim() === String(getpid()),
    isDelegated: extendedAttribute(directory, 'trusted.delegate') === '1',
  };
}

function limitsUpToSlice({ path, directory }: OwnGroup): LimitTexts[] {
  const parts = path.split('/').filter((part) => part !== '');
  const slices = parts.findIndex((part) => !part.endsWith('.slice'));
  const levels = slices === -1 ? 0 : parts.length - slices;
  return Array.from({ length: levels }, (_, up) => {
    const level = directory
      .split('/')
      .slice(0, up === 0 ? undefined : -up)
      .join('/');
    return Object.fromEntries(LIMIT_FILES.map((file) => [file, readTextIfPresent(`${level}/${file}`)]));
  });
}
