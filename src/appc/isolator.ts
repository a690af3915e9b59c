import type { Json, StringMap } from './json.ts';
import type { ACIdentifier } from './names.ts';
import type { Quantity } from './quantity.ts';
import type { SeccompProfile } from './seccomp-profile.ts';

/**
 * What confines an app or a pod. `kind` groups the isolators that have values of one shape; `name` is the
 * appc name. Values have the shape that they have in a manifest, without their unknown members.
 */
export type Isolator =
  | { readonly kind: 'resource'; readonly name: ResourceName; readonly value: ResourceLimits }
  | { readonly kind: 'capabilities'; readonly name: CapabilitiesName; readonly value: CapabilitySet }
  | { readonly kind: 'seccomp'; readonly name: SeccompName; readonly value: SeccompSet }
  | { readonly kind: 'seccomp-profile'; readonly name: SeccompProfileName; readonly value: SeccompProfile }
  | { readonly kind: 'no-new-privileges'; readonly name: NoNewPrivilegesName; readonly value: boolean }
  | { readonly kind: 'cpu-shares'; readonly name: CpuSharesName; readonly value: number }
  | { readonly kind: 'oom-score-adj'; readonly name: OomScoreAdjName; readonly value: number }
  | { readonly kind: 'pids-limit'; readonly name: PidsLimitName; readonly value: number }
  | { readonly kind: 'rlimits'; readonly name: RlimitsName; readonly value: Rlimits }
  | { readonly kind: 'selinux'; readonly name: SelinuxName; readonly value: SelinuxContext }
  | { readonly kind: 'sysctl'; readonly name: SysctlName; readonly value: StringMap }
  | { readonly kind: 'unknown'; readonly name: ACIdentifier; readonly value: Json };

export type IsolatorOf<K extends Isolator['kind']> = Extract<Isolator, { readonly kind: K }>;

export type ResourceName =
  | 'resource/memory'
  | 'resource/cpu'
  | 'resource/block-bandwidth'
  | 'resource/block-iops'
  | 'resource/network-bandwidth';
export type CapabilitiesName = 'os/linux/capabilities-retain-set' | 'os/linux/capabilities-remove-set';
export type SeccompName = 'os/linux/seccomp-retain-set' | 'os/linux/seccomp-remove-set';
/** Not of appc, which has sets only. */
export type SeccompProfileName = 'coreos.com/rkt/seccomp-profile';
export type NoNewPrivilegesName = 'os/linux/no-new-privileges';
export type CpuSharesName = 'os/linux/cpu-shares';
export type OomScoreAdjName = 'os/linux/oom-score-adj';
/** Not of appc, which bounds neither processes nor what each of them may have. */
export type PidsLimitName = 'coreos.com/rkt/pids-limit';
export type RlimitsName = 'coreos.com/rkt/rlimits';
export type SelinuxName = 'os/linux/selinux-context';
export type SysctlName = 'os/unix/sysctl';

/** `default` is true where the limit is for all devices or interfaces. */
export interface ResourceLimits {
  readonly default: boolean;
  readonly request?: Quantity;
  readonly limit?: Quantity;
}

/** Names as capabilities(7) has them: `CAP_NET_ADMIN`. */
export interface CapabilitySet {
  readonly set: readonly string[];
}

/** System call names, or wildcards such as `@appc.io/all`. Without `errno`, a refused call kills. */
export interface SeccompSet {
  readonly set: readonly string[];
  readonly errno?: string;
}

/** As getrlimit(2) calls them, in lower case and without RLIMIT_. */
export const RLIMIT_NAMES = [
  'as',
  'core',
  'cpu',
  'data',
  'fsize',
  'locks',
  'memlock',
  'msgqueue',
  'nice',
  'nofile',
  'nproc',
  'rss',
  'rtprio',
  'rttime',
  'sigpending',
  'stack',
] as const;
export type RlimitName = (typeof RLIMIT_NAMES)[number];

export type Rlimits = Readonly<Partial<Record<RlimitName, Rlimit>>>;

/** In the kernel's unit of each. */
export interface Rlimit {
  readonly soft: RlimitValue;
  readonly hard: RlimitValue;
}

export type RlimitValue = number | 'unlimited';

export interface SelinuxContext {
  readonly user: string;
  readonly role: string;
  readonly type: string;
  readonly level: string;
}

/** The last isolator of a kind, which is the one that counts, as in rkt. `name` narrows it further. */
export function findIsolator<K extends Isolator['kind']>(
  isolators: readonly Isolator[],
  kind: K,
  name?: IsolatorOf<K>['name'],
): IsolatorOf<K> | undefined {
  return isolators
    .filter((isolator): isolator is IsolatorOf<K> => isolator.kind === kind)
    .findLast((isolator) => name === undefined || isolator.name === name);
}
