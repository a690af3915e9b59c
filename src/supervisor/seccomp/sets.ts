/** From the sets of appc (os/linux/seccomp-retain-set and -remove-set) to a policy. */
import type { IsolatorOf, SeccompSet } from '../../appc/index.ts';
import { errnoOf } from '../../native/errno.ts';
import { SupervisorError } from '../error.ts';
import { ARCHITECTURES, type Architecture, isKnownCall } from './architectures.ts';
import { findGroup, GROUP_NAMES, type Group } from './groups.ts';
import { type Action, ALLOW, KILL_PROCESS, type Policy, type Rule, refuseWith } from './policy.ts';

/** Every call there is, and none. */
const ALL = '@appc.io/all';
const EMPTY = '@appc.io/empty';
const DEFAULT = '@rkt/default-whitelist';

/** Without these no program begins, ends, or comes back from a signal; a set may be silent about them. */
const LIFECYCLE = ['execve', 'exit', 'exit_group', 'restart_syscall', 'rt_sigreturn', 'sigreturn'];

/**
 * The filter of apps whose manifest has none: rkt's list. rkt kills for a call that is not on it; here it is refused, as by Docker,
 * since programs try many calls that they can do without (NUMA, keyrings, io_uring).
 */
export const DEFAULT_ISOLATOR: IsolatorOf<'seccomp'> = {
  kind: 'seccomp',
  name: 'os/linux/seccomp-retain-set',
  value: { set: [DEFAULT], errno: 'EPERM' },
};

/** Null: no filter is asked for. Throws SupervisorError `unsupported`. */
export function policyOfSet(
  { name, value }: IsolatorOf<'seccomp'>,
  architecture: Architecture,
): Policy | null {
  const { set } = value;
  const isRetained = name === 'os/linux/seccomp-retain-set';
  const nothing = isRetained ? EMPTY : ALL;
  if (set.includes(nothing)) throw refused(`${name}: ${nothing} leaves no call that a program could make`);
  if (isRetained && set.includes(ALL)) return null;
  const refusal = refusalOf(name, value);
  const parts = set.filter((item) => item !== EMPTY).map((item) => groupOf(name, item));
  const rules = isRetained
    ? retaining(parts)
    : [
        { names: parts.flatMap(({ names }) => names), conditions: [], action: refusal },
        // As in rkt: who removes nothing has what everybody has.
        ...(set.includes(EMPTY) ? retaining([groupOf(name, DEFAULT)]) : []),
      ];
  return {
    rules,
    otherwise: isRetained || set.includes(EMPTY) ? refusal : ALLOW,
    architectures: [architecture, ...ARCHITECTURES[architecture].also],
    foreign: refusal,
  };
}

/** What is named wins over what a group retains in part. */
function retaining(parts: readonly Group[]): Rule[] {
  const names = [...LIFECYCLE, ...parts.flatMap((part) => part.names)];
  return [{ names, conditions: [], action: ALLOW }, ...parts.flatMap(({ rules }) => rules)];
}

/** A group, or a call as one. A call that there is on other kinds of machine only is none here. */
function groupOf(isolator: string, item: string): Group {
  const group = findGroup(item);
  if (group !== undefined) return group;
  if (item.startsWith('@')) {
    const known = [ALL, EMPTY, ...GROUP_NAMES].join(', ');
    throw refused(`${isolator}: unknown group ${JSON.stringify(item)}: there are ${known}`);
  }
  if (!isKnownCall(item)) throw refused(`${isolator}: unknown system call ${JSON.stringify(item)}`);
  return { names: [item], rules: [] };
}

function refusalOf(isolator: string, { errno }: SeccompSet): Action {
  if (errno === undefined) return KILL_PROCESS;
  try {
    return refuseWith(errnoOf(errno));
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw refused(`${isolator}: ${cause.message}`);
  }
}

function refused(message: string): SupervisorError {
  return new SupervisorError('unsupported', message);
}
