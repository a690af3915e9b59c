import { createHash } from 'node:crypto';
import type { DigestAlgorithm } from '../oci/index.ts';
import { keepHeapSmall } from '../os/heap.ts';
import { DEFAULT_EXPANSION, decompressed, type ExpansionLimit } from './decompression.ts';
import { type LayerRules, LayerWriter, LowerLayers, type Owner } from './extract/index.ts';
import { type Bytes, observed } from './stream.ts';
import { ByteSource, type Entry, feedOf, type TarLimits, TarReader } from './tar/index.ts';

/** Bounds on what an archive may make its reader do; tests tighten them. */
export interface ArchiveLimits {
  readonly expansion?: ExpansionLimit;
  readonly tar?: TarLimits;
}

export interface UnpackPlan {
  /** Compressed or not. */
  readonly stream: Bytes;
  readonly algorithm: DigestAlgorithm;
  /** An empty directory. */
  readonly rootfs: string;
  readonly rules: LayerRules;
  /** Roots of the layers below, the uppermost first. */
  readonly lower: readonly string[];
  readonly endMarker: 'required' | 'optional';
  readonly signal: AbortSignal | undefined;
  readonly limits: ArchiveLimits;
  /** Whose the directories are that no layer has an entry for: root's, but in a test without privileges. */
  readonly impliedOwner?: Owner;
  /** Sees each entry first: true when it is not to be extracted. */
  readonly intercept?: (entry: Entry, reader: TarReader) => Promise<boolean>;
}

export interface UnpackedLayer {
  /** Hex digest of the uncompressed archive. */
  readonly digest: string;
  /** Bytes of content. */
  readonly size: number;
  readonly dependsOnLower: boolean;
}

/** Decompresses, hashes and extracts an archive in one pass. What it leaves behind on failure is in `rootfs` alone. */
export async function unpack(plan: UnpackPlan): Promise<UnpackedLayer> {
  using lower = new LowerLayers(plan.lower);
  using writer = new LayerWriter(plan.rootfs, plan.rules, lower, plan.impliedOwner);
  const digest = await read(plan, (entry, reader) => writer.add(entry, () => reader.content()));
  writer.finish();
  return { digest, size: writer.bytes, dependsOnLower: writer.dependsOnLower };
}

/** What a reading of an archive needs: all of an `UnpackPlan` but where to. */
export type SurveyPlan = Omit<UnpackPlan, 'rootfs' | 'lower' | 'rules' | 'impliedOwner'>;

/** Reads an archive to its end without extracting it, and gives the hex digest of the uncompressed one. */
export function survey(plan: SurveyPlan): Promise<string> {
  return read(plan, async () => undefined);
}

async function read(
  plan: SurveyPlan,
  take: (entry: Entry, reader: TarReader) => Promise<void>,
): Promise<string> {
  keepHeapSmall();
  const hash = createHash(plan.algorithm);
  const tar = observed(decompressed(plan.stream, plan.limits.expansion ?? DEFAULT_EXPANSION), (chunk) =>
    hash.update(chunk),
  );
  const reader = new TarReader(new ByteSource(feedOf(tar)), {
    endMarker: plan.endMarker,
    ...(plan.limits.tar === undefined ? {} : { limits: plan.limits.tar }),
  });
  try {
    for await (const entry of reader.entries()) {
      plan.signal?.throwIfAborted();
      if ((await plan.intercept?.(entry, reader)) === true) continue;
      await take(entry, reader);
    }
  } finally {
    await tar.return();
  }
  return hash.digest('hex');
}
