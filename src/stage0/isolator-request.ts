/** Isolators as flags ask for them: each takes the place of the image's own. */
import {
  AppcError,
  type Isolator,
  milliUnits,
  parseIsolator,
  parseQuantity,
  type Quantity,
  type ResourceName,
  RLIMIT_NAMES,
  type Rlimit,
  type RlimitName,
  type Rlimits,
  type RlimitValue,
  wholeUnits,
} from '../appc/index.ts';
import { Stage0Error } from './errors.ts';
import type { SeccompRequest } from './seccomp-request.ts';

export { RLIMIT_NAMES } from '../appc/index.ts';

/** As the flags have them. */
export interface IsolatorRequest {
  readonly memory?: string;
  readonly cpu?: string;
  readonly cpuShares?: string;
  readonly pidsLimit?: string;
  readonly oomScoreAdj?: string;
  /** Names of capabilities, of which one list at most is not empty. */
  readonly capsRetain?: readonly string[];
  readonly capsRemove?: readonly string[];
  /** `NAME=SOFT[:HARD]`. */
  readonly ulimits?: readonly string[];
  readonly seccomp?: SeccompRequest;
}

/** rkt's guard against `--memory=128m`, which is an eighth of a byte. */
const MEMORY_MIN_BYTES = 4096;

/** Throws Stage0Error `bad-request`. */
export function isolated(isolators: readonly Isolator[], request: IsolatorRequest): readonly Isolator[] {
  const own = [
    ...resource('resource/memory', memory(request)),
    ...resource('resource/cpu', cpu(request)),
    ...number('os/linux/cpu-shares', '--cpu-shares', request.cpuShares),
    ...number('coreos.com/rkt/pids-limit', '--pids-limit', request.pidsLimit),
    ...number('os/linux/oom-score-adj', '--oom-score-adj', request.oomScoreAdj),
    ...capabilities(request),
    ...rlimits(isolators, request.ulimits ?? []),
    ...(request.seccomp === undefined ? [] : [request.seccomp]),
  ];
  return [...isolators.filter((given) => !own.some((isolator) => replaces(isolator, given))), ...own];
}

/** Of resources and what else is by itself the one of that name; of filters and sets of capabilities any. */
function replaces(own: Isolator, given: Isolator): boolean {
  const groups: readonly Isolator['kind'][][] = [['capabilities'], ['seccomp', 'seccomp-profile']];
  return (
    own.name === given.name || groups.some((kinds) => kinds.includes(own.kind) && kinds.includes(given.kind))
  );
}

function resource(name: ResourceName, limit: Quantity | undefined): Isolator[] {
  return limit === undefined
    ? []
    : [{ kind: 'resource', name, value: { default: false, request: limit, limit } }];
}

function memory(request: IsolatorRequest): Quantity | undefined {
  const amount = quantity('--memory', request.memory);
  if (amount !== undefined && wholeUnits(amount) < MEMORY_MIN_BYTES)
    throw new Stage0Error(
      'bad-request',
      `--memory: ${amount} is lower than 4 KiB: were milli-bytes meant, or mebibytes (Mi)?`,
    );
  return amount;
}

/** No time at all is no limit that an app could live with: it would seem to hang. */
function cpu(request: IsolatorRequest): Quantity | undefined {
  const amount = quantity('--cpu', request.cpu);
  if (amount !== undefined && milliUnits(amount) < 1)
    throw new Stage0Error('bad-request', `--cpu: ${amount} is less than 1m, a thousandth of a processor`);
  return amount;
}

/** Throws Stage0Error `bad-request`. */
export function quantity(flag: string, text: string | undefined): Quantity | undefined {
  return text === undefined ? undefined : reading(flag, () => parseQuantity(text));
}

function number(name: string, flag: string, text: string | undefined): Isolator[] {
  if (text === undefined) return [];
  const value = /^-?\d{1,15}$/.test(text) ? Number(text) : text;
  return [reading(flag, () => parseIsolator({ name, value }))];
}

/** `CAP_A,CAP_B`, as often as it is given. */
function capabilities({ capsRetain = [], capsRemove = [] }: IsolatorRequest): Isolator[] {
  if (capsRetain.length > 0 && capsRemove.length > 0)
    throw new Stage0Error('bad-request', '--caps-retain and --caps-remove are mutually exclusive');
  const set = (flag: string, kind: 'retain' | 'remove', texts: readonly string[]) => {
    if (texts.length === 0) return [];
    const names = texts.flatMap((text) => text.split(','));
    const name = `os/linux/capabilities-${kind}-set`;
    return [reading(flag, () => parseIsolator({ name, value: { set: names } }))];
  };
  return [...set('--caps-retain', 'retain', capsRetain), ...set('--caps-remove', 'remove', capsRemove)];
}

/** Those that are not given stay the image's. */
function rlimits(isolators: readonly Isolator[], texts: readonly string[]): Isolator[] {
  if (texts.length === 0) return [];
  const given = isolators.findLast((isolator) => isolator.kind === 'rlimits');
  const value: Rlimits = { ...given?.value, ...Object.fromEntries(texts.map(rlimit)) };
  return [{ kind: 'rlimits', name: 'coreos.com/rkt/rlimits', value }];
}

function rlimit(text: string): [RlimitName, Rlimit] {
  const [, word, first, second] = /^([a-z]+)=([^:]+)(?::(.+))?$/.exec(text) ?? [];
  if (word === undefined || first === undefined)
    throw refusedRlimit(text, 'it is not NAME=SOFT or NAME=SOFT:HARD');
  const name = RLIMIT_NAMES.find((known) => known === word);
  if (name === undefined) throw refusedRlimit(text, `names are ${RLIMIT_NAMES.join(', ')}`);
  const soft = amount(text, first);
  const hard = amount(text, second ?? first);
  if (size(soft) > size(hard)) throw refusedRlimit(text, 'the soft limit is more than the hard one');
  return [name, { soft, hard }];
}

function amount(text: string, word: string): RlimitValue {
  if (word === 'unlimited' || word === '-1') return 'unlimited';
  const value = Number(word);
  if (/^\d+$/.test(word) && Number.isSafeInteger(value)) return value;
  throw refusedRlimit(text, `${JSON.stringify(word)} is neither a number nor "unlimited"`);
}

function size(value: RlimitValue): number {
  return value === 'unlimited' ? Number.POSITIVE_INFINITY : value;
}

function refusedRlimit(text: string, why: string): Stage0Error {
  return new Stage0Error('bad-request', `--ulimit: ${JSON.stringify(text)}: ${why}`);
}

function reading<T>(flag: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof AppcError)) throw cause;
    // Without the cause, which says the same of a manifest.
    throw new Stage0Error('bad-request', `${flag}: ${cause.message.replace(/^value(\.set)?:? ?/, '')}`);
  }
}
