/**
 * A filter of system calls as the Open Container Initiative writes it (runtime-spec, config-linux.md, "Seccomp"), with what Docker has
 * added to it: `archMap`, and rules for machines and capabilities. As in its own configuration, unknown members are ignored.
 */
import {
  arrayOf,
  type Cursor,
  expected,
  fields,
  integer,
  nonEmptyString,
  oneOf,
  type Reader,
  string,
} from './json.ts';
import { withoutUndefined } from './json-value.ts';

export interface SeccompProfile {
  readonly defaultAction: SeccompAction;
  readonly defaultErrnoRet?: number;
  /** `SCMP_ARCH_X86_64`. */
  readonly architectures?: readonly string[];
  readonly archMap?: readonly SeccompArchitectures[];
  readonly syscalls: readonly SeccompRule[];
}

export interface SeccompArchitectures {
  readonly architecture: string;
  readonly subArchitectures: readonly string[];
}

export interface SeccompRule {
  readonly names: readonly string[];
  readonly action: SeccompAction;
  readonly errnoRet?: number;
  readonly args: readonly SeccompArgument[];
  readonly includes?: SeccompScope;
  readonly excludes?: SeccompScope;
}

/** Of an argument of a call, which has 64 bits. */
export interface SeccompArgument {
  readonly index: number;
  readonly value: number;
  readonly valueTwo: number;
  readonly op: SeccompOperator;
}

/** Where a rule counts. */
export interface SeccompScope {
  readonly caps: readonly string[];
  /** As Go names them: `amd64`. */
  readonly arches: readonly string[];
  readonly minKernel?: string;
}

const ACTIONS = [
  'SCMP_ACT_ALLOW',
  'SCMP_ACT_ERRNO',
  'SCMP_ACT_KILL',
  'SCMP_ACT_KILL_PROCESS',
  'SCMP_ACT_KILL_THREAD',
  'SCMP_ACT_LOG',
  'SCMP_ACT_TRACE',
  'SCMP_ACT_TRAP',
] as const;
export type SeccompAction = (typeof ACTIONS)[number];

const OPERATORS = [
  'SCMP_CMP_EQ',
  'SCMP_CMP_GE',
  'SCMP_CMP_GT',
  'SCMP_CMP_LE',
  'SCMP_CMP_LT',
  'SCMP_CMP_MASKED_EQ',
  'SCMP_CMP_NE',
] as const;
export type SeccompOperator = (typeof OPERATORS)[number];

const LAST_ARGUMENT = 5;
const ERRNO_MAX = 4095;
/** More than a filter has room for, as long as each is about something. */
const MOST_RULES = 2048;

const readAction = oneOf(...ACTIONS);
const readNumber = integer(0, Number.MAX_SAFE_INTEGER);
const readErrno = integer(0, ERRNO_MAX);
const readNames = arrayOf(nonEmptyString);

/** What cannot be done is refused: a filter that a reader takes for stronger than it is would be worse than none. */
export function readSeccompProfile(at: Cursor): SeccompProfile {
  const profile = fields(at);
  profile.optional('flags', arrayOf(readFlag));
  profile.optional('listenerPath', refuseListener);
  return withoutUndefined({
    defaultAction: profile.required('defaultAction', readAction),
    defaultErrnoRet: profile.optional('defaultErrnoRet', readErrno),
    architectures: profile.optional('architectures', readNames),
    archMap: profile.optional('archMap', arrayOf(readArchitectures)),
    syscalls: profile.optional('syscalls', readRules) ?? [],
  });
}

/** All threads of a process at once: it has one when it gets its filter. */
const SYNCHRONIZED = 'SECCOMP_FILTER_FLAG_TSYNC';

function readFlag(at: Cursor): void {
  if (at.value !== SYNCHRONIZED) throw expected(at, SYNCHRONIZED, 'invalid-value');
}

function refuseListener(at: Cursor): void {
  if (string(at) !== '') throw at.refuse('invalid-value', at.path, 'nobody listens to a filter here');
}

function readArchitectures(at: Cursor): SeccompArchitectures {
  const row = fields(at);
  return {
    architecture: row.required('architecture', nonEmptyString),
    subArchitectures: row.list('subArchitectures', nonEmptyString),
  };
}

function readRules(at: Cursor): readonly SeccompRule[] {
  const count = arrayOf(() => undefined)(at).length;
  if (count > MOST_RULES)
    throw at.refuse('too-large', at.path, `${count} rules, at most ${MOST_RULES} are allowed`);
  return arrayOf(readRule)(at);
}

function readRule(at: Cursor): SeccompRule {
  const rule = fields(at);
  return withoutUndefined({
    names: namesOf(at),
    action: rule.required('action', readAction),
    errnoRet: rule.optional('errnoRet', readErrno),
    args: rule.list('args', readArgument),
    includes: rule.optional('includes', readScope),
    excludes: rule.optional('excludes', readScope),
  });
}

/** `name`, as it was before there was `names`. */
function namesOf(at: Cursor): readonly string[] {
  const rule = fields(at);
  const [old, names] = [rule.optional('name', string), rule.list('names', nonEmptyString)];
  const all = old === undefined || old === '' ? names : [old, ...names];
  if (all.length === 0) throw at.refuse('missing', `${at.path}.names`, 'is required');
  return all;
}

function readArgument(at: Cursor): SeccompArgument {
  const argument = fields(at);
  return {
    index: argument.required('index', integer(0, LAST_ARGUMENT)),
    value: argument.required('value', readNumber),
    valueTwo: argument.optional('valueTwo', readNumber) ?? 0,
    op: argument.required('op', oneOf(...OPERATORS)),
  };
}

function readScope(at: Cursor): SeccompScope {
  const scope = fields(at);
  return withoutUndefined({
    caps: scope.list('caps', nonEmptyString),
    arches: scope.list('arches', nonEmptyString),
    minKernel: scope.optional('minKernel', readKernel),
  });
}

const readKernel: Reader<string> = (at) => {
  const text = string(at);
  if (!/^\d{1,4}\.\d{1,4}$/.test(text)) throw expected(at, 'a kernel version such as 4.8', 'invalid-value');
  return text;
};
