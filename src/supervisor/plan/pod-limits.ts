/** What a pod as a whole may use, out of its own isolators and those of its apps. Pure. */
import {
  type App,
  findIsolator,
  milliUnits,
  type Quantity,
  type ResourceName,
  wholeUnits,
} from '../../appc/index.ts';
import { limitOf } from './limits.ts';

/** Whatever has limits: an app, or a pod. */
export type Limited = Pick<App, 'isolators'>;

/** What is absent has no bound. */
export interface PodLimits {
  /** The pod's own: its apps are bounded by theirs. */
  readonly memoryBytes?: number;
  readonly cpuMillis?: number;
  /** Of all its apps together, where one has asked for more or less than others have. */
  readonly cpuShares?: number;
  readonly blockBytesPerSecond?: number;
  readonly blockOperationsPerSecond?: number;
  /** Each way. */
  readonly networkBytesPerSecond?: number;
}

const SHARES = 1024;

export function podLimits(pod: Limited, apps: readonly Limited[]): PodLimits {
  const whole = (name: ResourceName) => boundOf(name, pod, apps, rate);
  const memory = limitOf(pod.isolators, 'resource/memory');
  return present({
    memoryBytes: memory === undefined ? undefined : wholeUnits(memory),
    cpuMillis: boundOf('resource/cpu', pod, apps, milliUnits),
    cpuShares: sharesOf(apps),
    blockBytesPerSecond: whole('resource/block-bandwidth'),
    blockOperationsPerSecond: whole('resource/block-iops'),
    networkBytesPerSecond: whole('resource/network-bandwidth'),
  });
}

/** What has no bound within the pod can only be bounded for all together: the pod's own word, or the sum, where each app has a part. */
function boundOf(
  name: ResourceName,
  pod: Limited,
  apps: readonly Limited[],
  count: (amount: Quantity) => number,
): number | undefined {
  const own = limitOf(pod.isolators, name);
  const parts = apps.map(({ isolators }) => limitOf(isolators, name));
  const known = parts.filter((part) => part !== undefined);
  const sum = known.reduce((total, part) => total + count(part), 0);
  const ofApps = parts.length > 0 && known.length === parts.length ? sum : undefined;
  if (own === undefined) return ofApps;
  return Math.min(count(own), ofApps ?? Number.POSITIVE_INFINITY);
}

/** To the kernel's v1 a rate of 0 is none: what is not to be had is as little as can be. */
function rate(amount: Quantity): number {
  return Math.max(1, wholeUnits(amount));
}

function sharesOf(apps: readonly Limited[]): number | undefined {
  const shares = apps.map(({ isolators }) => findIsolator(isolators, 'cpu-shares')?.value);
  if (shares.every((share) => share === undefined)) return undefined;
  return shares.reduce<number>((sum, share) => sum + (share ?? SHARES), 0);
}

function present(limits: { readonly [K in keyof PodLimits]: PodLimits[K] | undefined }): PodLimits {
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}
