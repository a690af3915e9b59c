import type { Descriptor } from './descriptor.ts';
import type { Index } from './document.ts';
import { refuse } from './errors.ts';
import { listing } from './listing.ts';
import { mediaKind } from './media-types.ts';
import { formatPlatform, type Platform, platformDistance } from './platform.ts';

/**
 * The entry of an index that runs on a platform: the nearest variant, the first of equals. An entry that
 * does not say its platform, as layouts of one image have, is taken when it is alone; whether it runs is
 * then seen in its configuration. May lead to a nested index. Throws OciError `no-matching-platform`.
 */
export function choosePlatform(index: Index, wanted: Platform): Descriptor {
  const entries = index.manifests.filter(isImage);
  const [best] = entries
    .map((entry) => ({ entry, distance: distanceOf(entry, wanted) }))
    .filter((candidate): candidate is Candidate => candidate.distance !== undefined)
    .sort((a, b) => a.distance - b.distance);
  if (best) return best.entry;
  const unsaid = entries.filter((entry) => entry.platform === undefined);
  const [only] = unsaid;
  if (only && unsaid.length === 1) return only;
  throw noMatch(wanted, entries);
}

/** Refuses an image whose configuration says that it is for another platform. */
export function requirePlatform(offered: Platform, wanted: Platform): void {
  if (platformDistance(offered, wanted) !== undefined) return;
  throw refuse(
    'no-matching-platform',
    '',
    `the image is for ${formatPlatform(offered)}, not for ${formatPlatform(wanted)}`,
  );
}

interface Candidate {
  readonly entry: Descriptor;
  readonly distance: number;
}

// Signatures and other artifacts stand beside images; build attestations call their platform "unknown".
function isImage(entry: Descriptor): boolean {
  const kind = mediaKind(entry.mediaType);
  return (kind === 'manifest' || kind === 'index') && entry.platform?.os !== 'unknown' && !entry.artifactType;
}

function distanceOf(entry: Descriptor, wanted: Platform): number | undefined {
  return entry.platform && platformDistance(entry.platform, wanted);
}

function noMatch(wanted: Platform, entries: readonly Descriptor[]): Error {
  const offered = entries.map(({ platform }) =>
    platform ? formatPlatform(platform) : 'an unnamed platform',
  );
  const list = offered.length === 0 ? 'no images' : listing([...new Set(offered)]);
  return refuse(
    'no-matching-platform',
    '',
    `no image for ${formatPlatform(wanted)}, the index offers ${list}`,
  );
}
