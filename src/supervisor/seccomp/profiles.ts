/** From a profile of the Open Container Initiative, or of Docker, to a policy. */
import type {
  SeccompAction,
  SeccompArgument,
  SeccompOperator,
  SeccompProfile,
  SeccompRule,
  SeccompScope,
} from '../../appc/index.ts';
import { SupervisorError } from '../error.ts';
import { ARCHITECTURES, type Architecture, isKnownCall } from './architectures.ts';
import {
  type Action,
  ALLOW,
  allows,
  type Condition,
  EPERM,
  KILL_PROCESS,
  KILL_THREAD,
  LOG,
  type Policy,
  type Rule,
  refuseWith,
  TRAP,
  traceWith,
} from './policy.ts';

/** What rules of a profile ask for. */
export interface ProfileSurroundings {
  readonly architecture: Architecture;
  /** Those that the app keeps: `CAP_SYS_ADMIN`. */
  readonly capabilities: readonly string[];
  /** `uname -r`. */
  readonly kernel: string;
}

/** The first rule that holds decides, in the order of the profile. Throws SupervisorError `unsupported`. */
export function policyOfProfile(profile: SeccompProfile, around: ProfileSurroundings): Policy {
  const otherwise = actionOf(profile.defaultAction, profile.defaultErrnoRet);
  checkProfile(profile);
  const rules = profile.syscalls.filter((rule) => isInScope(rule, around));
  return {
    rules: rules.flatMap((rule) => rulesOf(rule, profile)),
    otherwise,
    architectures: architecturesOf(profile, around.architecture),
    foreign: KILL_PROCESS,
  };
}

/** As in runc: this machine's own is meant in any case. One that a profile lists and that has no table here is foreign. */
function architecturesOf(
  { architectures = [], archMap = [] }: SeccompProfile,
  own: Architecture,
): Architecture[] {
  const ownName = ARCHITECTURES[own].names[0];
  const mapped = archMap.find(({ architecture }) => architecture === ownName)?.subArchitectures ?? [];
  const listed = [...architectures, ...mapped];
  return [own, ...ARCHITECTURES[own].also.filter((other) => listed.includes(ARCHITECTURES[other].names[0]))];
}

function isInScope({ includes, excludes }: SeccompRule, around: ProfileSurroundings): boolean {
  return (
    (includes === undefined || isIncluded(includes, around)) &&
    !(excludes !== undefined && isExcluded(excludes, around))
  );
}

/** All that it asks for. */
function isIncluded({ caps, arches, minKernel }: SeccompScope, around: ProfileSurroundings): boolean {
  return (
    caps.every((name) => around.capabilities.includes(name)) &&
    (arches.length === 0 || arches.includes(goName(around))) &&
    (minKernel === undefined || isAtLeast(around.kernel, minKernel))
  );
}

/** Any of it. */
function isExcluded({ caps, arches, minKernel }: SeccompScope, around: ProfileSurroundings): boolean {
  return (
    caps.some((name) => around.capabilities.includes(name)) ||
    arches.includes(goName(around)) ||
    (minKernel !== undefined && isAtLeast(around.kernel, minKernel))
  );
}

function goName({ architecture }: ProfileSurroundings): string {
  return ARCHITECTURES[architecture].names[1];
}

/** Of `6.1.0-18-amd64` the first two numbers. */
function isAtLeast(kernel: string, wanted: string): boolean {
  const [major = 0, minor = 0] = kernel.split(/[.-]/).map(Number);
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split('.').map(Number);
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

/**
 * Profiles have the names of all kinds of machine and kernel. A call that is not known here is not made in any case where calls are
 * refused unless they are allowed; where it would be made, a rule that takes it away has to be one that can be kept. Throws
 * SupervisorError `unsupported`.
 */
export function checkProfile({ defaultAction, syscalls }: SeccompProfile): void {
  if (!allows(actionOf(defaultAction))) return;
  const refusing = syscalls.filter(({ action }) => !allows(actionOf(action)));
  const unknown = refusing.flatMap(({ names }) => names).find((name) => !isKnownCall(name));
  if (unknown !== undefined)
    throw new SupervisorError('unsupported', `profile: unknown system call ${JSON.stringify(unknown)}`);
}

/** As in runc: conditions on one argument are alternatives to each other, unless each argument has one. */
function rulesOf({ names, action, errnoRet, args }: SeccompRule, profile: SeccompProfile): Rule[] {
  const rule = { names, action: actionOf(action, errnoRet ?? profile.defaultErrnoRet) };
  const conditions = args.map(conditionOf);
  const isRepeated = new Set(args.map(({ index }) => index)).size < args.length;
  return isRepeated
    ? conditions.map((condition) => ({ ...rule, conditions: [condition] }))
    : [{ ...rule, conditions }];
}

function conditionOf({ index, op, value, valueTwo }: SeccompArgument): Condition {
  if (op === 'SCMP_CMP_MASKED_EQ') return { argument: index, is: 'equal', mask: value, value: valueTwo };
  return { argument: index, is: COMPARISONS[op], value };
}

const COMPARISONS: Readonly<Record<Exclude<SeccompOperator, 'SCMP_CMP_MASKED_EQ'>, Condition['is']>> = {
  SCMP_CMP_EQ: 'equal',
  SCMP_CMP_NE: 'unequal',
  SCMP_CMP_LT: 'less',
  SCMP_CMP_LE: 'at-most',
  SCMP_CMP_GE: 'at-least',
  SCMP_CMP_GT: 'more',
};

function actionOf(action: SeccompAction, errno = EPERM): Action {
  switch (action) {
    case 'SCMP_ACT_ALLOW':
      return ALLOW;
    case 'SCMP_ACT_ERRNO':
      return refuseWith(errno);
    case 'SCMP_ACT_TRACE':
      return traceWith(errno);
    case 'SCMP_ACT_KILL':
    case 'SCMP_ACT_KILL_THREAD':
      return KILL_THREAD;
    case 'SCMP_ACT_KILL_PROCESS':
      return KILL_PROCESS;
    case 'SCMP_ACT_TRAP':
      return TRAP;
    case 'SCMP_ACT_LOG':
      return LOG;
    default:
      return action satisfies never;
  }
}
