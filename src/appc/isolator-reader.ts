import { refuse } from './errors.ts';
import type { Isolator, ResourceLimits, SeccompSet, SelinuxContext } from './isolator.ts';
import {
  arrayOf,
  boolean,
  type Cursor,
  expected,
  fields,
  integer,
  nonEmptyString,
  type Reader,
  string,
  stringMap,
} from './json.ts';
import { documentCursor } from './json-document.ts';
import { readJson, withoutUndefined } from './json-value.ts';
import { readACIdentifier } from './names.ts';
import { readQuantity } from './quantity.ts';
import { readRlimits } from './rlimits.ts';
import { readSeccompProfile } from './seccomp-profile.ts';

/** Of the kernel (PID_MAX_LIMIT). */
const MOST_PIDS = 4_194_304;

/** How each known isolator is read; what is not in here is `unknown`, and kept. */
const readers: ReadonlyMap<string, Reader<Isolator>> = new Map<string, Reader<Isolator>>([
  resource('resource/memory', perApp),
  resource('resource/cpu', perApp),
  resource('resource/block-bandwidth', perDevice),
  resource('resource/block-iops', perDevice),
  resource('resource/network-bandwidth', perDevice),
  entry('os/linux/capabilities-retain-set', 'capabilities', readCapabilitySet),
  entry('os/linux/capabilities-remove-set', 'capabilities', readCapabilitySet),
  entry('os/linux/seccomp-retain-set', 'seccomp', readSeccompSet),
  entry('os/linux/seccomp-remove-set', 'seccomp', readSeccompSet),
  entry('coreos.com/rkt/seccomp-profile', 'seccomp-profile', readSeccompProfile),
  entry('os/linux/no-new-privileges', 'no-new-privileges', boolean),
  entry('os/linux/cpu-shares', 'cpu-shares', integer(2, 262_144)),
  entry('os/linux/oom-score-adj', 'oom-score-adj', integer(-1000, 1000)),
  entry('coreos.com/rkt/pids-limit', 'pids-limit', integer(1, MOST_PIDS)),
  entry('coreos.com/rkt/rlimits', 'rlimits', readRlimits),
  entry('os/linux/selinux-context', 'selinux', readSelinuxContext),
  entry('os/unix/sysctl', 'sysctl', stringMap),
]);

/**
 * Which isolators exclude each other: two of one row cannot stand in one list. appc's own code overlooks
 * capabilities, its text does not.
 */
const alone: readonly (readonly string[])[] = [
  ['os/linux/seccomp-retain-set', 'os/linux/seccomp-remove-set', 'coreos.com/rkt/seccomp-profile'],
  ['os/linux/cpu-shares'],
  ['os/linux/oom-score-adj'],
  ['coreos.com/rkt/pids-limit'],
  ['coreos.com/rkt/rlimits'],
  ['os/linux/selinux-context'],
  ['os/unix/sysctl'],
];
const capabilitySets = ['os/linux/capabilities-retain-set', 'os/linux/capabilities-remove-set'] as const;

export function readIsolators(at: Cursor): readonly Isolator[] {
  const isolators = arrayOf(readIsolator)(at);
  for (const names of alone) {
    const [first, second] = isolators.filter((isolator) => names.includes(isolator.name));
    if (first && second) throw conflict(at, first, second);
  }
  const [retain, remove] = capabilitySets.map((name) => isolators.find((isolator) => isolator.name === name));
  if (retain && remove) throw conflict(at, retain, remove);
  return isolators;
}

function conflict(at: Cursor, first: Isolator, second: Isolator): Error {
  return at.refuse('invalid-value', at.path, `${first.name} cannot stand together with ${second.name}`);
}

/** Takes `{ name, value }`, as JSON.parse returns it. Throws AppcError with the path of what is wrong. */
export function parseIsolator(json: unknown): Isolator {
  return readIsolator(documentCursor(json, refuse));
}

function readIsolator(at: Cursor): Isolator {
  const isolator = fields(at);
  const name = isolator.required('name', readACIdentifier);
  const known = readers.get(name);
  if (known) return isolator.required('value', known);
  return { kind: 'unknown', name, value: isolator.optional('value', readJson) ?? null };
}

function entry<K extends string, N extends string, V>(
  name: N,
  kind: K,
  read: Reader<V>,
): [N, Reader<{ readonly kind: K; readonly name: N; readonly value: V }>] {
  return [name, (at) => ({ kind, name, value: read(at) })];
}

function resource<N extends string>(name: N, check: (at: Cursor, limits: ResourceLimits) => void) {
  return entry(name, 'resource', (at) => {
    const value = fields(at);
    const limits = {
      default: value.optional('default', boolean) ?? false,
      request: value.optional('request', readQuantity),
      limit: value.optional('limit', readQuantity),
    };
    check(at, withoutUndefined(limits));
    return withoutUndefined(limits);
  });
}

function perApp(at: Cursor, limits: ResourceLimits): void {
  if (limits.default) throw at.refuse('invalid-value', `${at.path}.default`, 'must be false');
}

function perDevice(at: Cursor, limits: ResourceLimits): void {
  if (!limits.default) throw at.refuse('invalid-value', `${at.path}.default`, 'must be true');
  if (limits.request !== undefined) throw at.refuse('invalid-value', `${at.path}.request`, 'must not be set');
}

function readNames(at: Cursor): readonly string[] {
  const set = fields(at).list('set', nonEmptyString);
  if (set.length === 0) throw at.refuse('invalid-value', `${at.path}.set`, 'must not be empty');
  return set;
}

function readCapabilitySet(at: Cursor): { readonly set: readonly string[] } {
  return { set: readNames(at) };
}

function readSeccompSet(at: Cursor): SeccompSet {
  const errno = fields(at).optional('errno', readErrno);
  return withoutUndefined({ set: readNames(at), errno: errno === '' ? undefined : errno });
}

// appc's own code refuses digits, and with them E2BIG.
function readErrno(at: Cursor): string {
  const errno = string(at);
  if (!/^([A-Z][A-Z0-9]*)?$/.test(errno)) throw expected(at, 'an error name in upper case', 'invalid-value');
  return errno;
}

function readSelinuxContext(at: Cursor): SelinuxContext {
  const context = fields(at);
  return {
    user: context.required('user', readSelinuxPart),
    role: context.required('role', readSelinuxPart),
    type: context.required('type', readSelinuxPart),
    level: context.required('level', nonEmptyString),
  };
}

// The parts are joined by colons; only the level, which is last, may have one.
function readSelinuxPart(at: Cursor): string {
  const part = nonEmptyString(at);
  if (part.includes(':')) throw expected(at, 'a part without a colon', 'invalid-value');
  return part;
}
