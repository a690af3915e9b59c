import { setTimeout as delay } from 'node:timers/promises';
import type { Host } from '../stage0/host.ts';
import { type PodSample, type Sampled, sampledPods, samplePods } from '../stage0/stats.ts';
import { type PodUsage, usageOf } from '../stage0/usage.ts';
import { messageOf } from './exit-code.ts';

const NANOSECONDS = 1_000_000n;

/** What the pods use, over the time since the round before. */
export interface Round {
  readonly time: bigint;
  readonly pods: readonly PodUsage[];
  /** Of pods that tell nothing or not all, and of ones that were named and have ended. */
  readonly problems: readonly string[];
}

/**
 * Looks at pods again and again: at those that are named, as long as one of them runs, or at all that run at the time. Throws what
 * `sampledPods` does, and what the signal has for a reason.
 */
export async function* rounds(
  host: Host,
  uuids: readonly string[],
  milliseconds: number,
  signal: AbortSignal,
): AsyncGenerator<Round> {
  const isAll = uuids.length === 0;
  let pods = sampledPods(host, uuids);
  let before = samplesIn(await samplePods(pods, signal));
  do {
    await delay(milliseconds, undefined, { signal });
    if (isAll) pods = sampledPods(host, []);
    const sampled = await samplePods(pods, signal);
    const samples = samplesIn(sampled);
    const usages = [...samples.values()].map((sample) => usageOf(before.get(sample.uuid), sample));
    const problems = [...sampled.flatMap((each) => problemOf(each, isAll)), ...usages.flatMap(silenceOf)];
    yield { time: BigInt(Date.now()) * NANOSECONDS, pods: usages, problems };
    before = samples;
    pods = pods.filter((_, index) => sampled[index]?.kind !== 'ended');
  } while (isAll || pods.length > 0);
}

function problemOf(sampled: Sampled, isAll: boolean): string[] {
  switch (sampled.kind) {
    case 'sample':
      return [];
    case 'ended':
      return isAll ? [] : [messageOf(sampled.error)];
    case 'failed':
      return [`pod ${JSON.stringify(sampled.uuid)}: ${messageOf(sampled.error)}`];
    default:
      return sampled satisfies never;
  }
}

function silenceOf({ sample: { uuid, guest, phase } }: PodUsage): string[] {
  return guest === null && phase === 'running'
    ? [`the guest of pod ${JSON.stringify(uuid)} does not answer`]
    : [];
}

function samplesIn(sampled: readonly Sampled[]): Map<string, PodSample> {
  return new Map(
    sampled.flatMap((each) => (each.kind === 'sample' ? [[each.sample.uuid, each.sample]] : [])),
  );
}
