/** What a child can be told to do between fork and exec. */
import { writeControl } from './contents.ts';
import { SystemError } from './errors.ts';
import { installSeccomp, type Limit, type Resource, setLimit } from './limits.ts';
import { type NamespaceKind, setNamespace, unshare } from './mounts.ts';
import {
  type Capability,
  type CapabilitySets,
  limitBoundingSet,
  setAmbient,
  setCapabilities,
  setKeepCapabilities,
  setNoNewPrivileges,
  setParentDeathSignal,
} from './privileges.ts';
import {
  chdir,
  chroot,
  setGroupIds,
  setGroups,
  setProcessGroup,
  setSession,
  setUserIds,
  umask,
} from './processes.ts';
import { setControllingTerminal } from './ptys.ts';
import { type SignalName, signals } from './signals.ts';

/** Each kind of step and what it needs. */
interface Needs {
  session: object;
  'process-group': object;
  /** The fd becomes the terminal of the session that a step before this one made. */
  terminal: { readonly fd: number };
  groups: { readonly gids: readonly number[] };
  gid: { readonly gid: number };
  uid: { readonly uid: number };
  /** After all changes of ids, which would clear it. */
  'parent-death-signal': { readonly signal: SignalName };
  'keep-capabilities': object;
  'bounding-set': { readonly capabilities: readonly Capability[] };
  capabilities: { readonly sets: CapabilitySets };
  ambient: { readonly capabilities: readonly Capability[] };
  'no-new-privileges': object;
  seccomp: { readonly program: Uint8Array; readonly flags?: number };
  limit: { readonly resource: Resource; readonly limit: Limit };
  'enter-namespace': { readonly fd: number; readonly kinds: readonly NamespaceKind[] };
  unshare: { readonly kinds: readonly NamespaceKind[] };
  chroot: { readonly path: string };
  directory: { readonly path: string };
  'directory-fd': { readonly fd: number };
  umask: { readonly mask: number };
  /** Into a control file: `0` into one by which a cgroup is joined, a score into `/proc/self/oom_score_adj`. */
  write: { readonly path: string; readonly text: string };
  /** Anything else, under a name for the error. */
  call: { readonly name: string; readonly action: () => void };
}

type StepOf<K extends keyof Needs> = { [P in K]: { readonly do: P } & Needs[P] }[K];

export type Step = StepOf<keyof Needs>;

const actions: { readonly [K in keyof Needs]: (step: StepOf<K>, hasParent: () => boolean) => unknown } = {
  session: () => setSession(),
  'process-group': () => setProcessGroup(0, 0),
  terminal: (step) => setControllingTerminal(step.fd),
  groups: (step) => setGroups(step.gids),
  gid: (step) => setGroupIds(step.gid),
  uid: (step) => setUserIds(step.uid),
  'parent-death-signal': (step, hasParent) => dieWithParent(step.signal, hasParent),
  'keep-capabilities': () => setKeepCapabilities(true),
  'bounding-set': (step) => limitBoundingSet(step.capabilities),
  capabilities: (step) => setCapabilities(step.sets),
  ambient: (step) => setAmbient(step.capabilities),
  'no-new-privileges': () => setNoNewPrivileges(),
  seccomp: (step) => installSeccomp(step.program, step.flags),
  limit: (step) => setLimit(step.resource, step.limit),
  'enter-namespace': (step) => setNamespace(step.fd, ...step.kinds),
  unshare: (step) => unshare(...step.kinds),
  chroot: (step) => chroot(step.path),
  directory: (step) => chdir(step.path),
  'directory-fd': (step) => chdir(step.fd),
  umask: (step) => umask(step.mask),
  write: (step) => writeControl(step.path, step.text),
  call: (step) => step.action(),
};

export function performStep<K extends keyof Needs>(step: StepOf<K>, hasParent: () => boolean): void {
  actions[step.do](step, hasParent);
}

const ESRCH = 3;

/** The parent may have died before the signal was asked for: nobody would send it any more. */
function dieWithParent(signal: SignalName, hasParent: () => boolean): void {
  setParentDeathSignal(signals[signal]);
  if (!hasParent()) throw new SystemError('prctl', ESRCH);
}
