import { fields, quote, string } from '../appc/json.ts';
import { documentCursor } from '../appc/json-document.ts';
import type { Descriptor } from './descriptor.ts';
import { type Digest, digestAlgorithm, digestHex } from './digest.ts';
import type { Index } from './document.ts';
import { refuse } from './errors.ts';
import { manifestLimits } from './limits.ts';
import { listing } from './listing.ts';

/** The two files at the top of an image layout (image-spec 1.1, image-layout.md). */
export const layoutFile = 'oci-layout';
export const layoutIndexFile = 'index.json';
/** Of the layouts that are written. */
export const layoutVersion = '1.0.0';

export const tagAnnotation = 'org.opencontainers.image.ref.name';

/** Checks the content of `oci-layout`. Throws OciError `unsupported-version` for another major version. */
export function requireLayout(json: unknown): void {
  const version = fields(documentCursor(json, refuse, manifestLimits)).required('imageLayoutVersion', string);
  if (/^1\.\d+\.\d+$/.test(version)) return;
  throw refuse(
    'unsupported-version',
    'imageLayoutVersion',
    `version ${quote(version)} is not understood, 1.x is`,
  );
}

/** Where a layout keeps a blob, relative to its top. A digest has only hex digits: it cannot lead elsewhere. */
export function blobPath(digest: Digest): string {
  return `blobs/${digestAlgorithm(digest)}/${digestHex(digest)}`;
}

export function tagOf(entry: Descriptor): string | undefined {
  return entry.annotations[tagAnnotation];
}

/**
 * The entries that a tag stands for, as an index to choose a platform from: a tag may be there once for each
 * platform. Without a tag there must be one image or one tag only. Throws OciError `no-matching-tag`, `ambiguous`.
 */
export function entriesTagged(index: Index, tag: string | undefined): Index {
  const tags = [...new Set(index.manifests.map(tagOf))];
  if (index.manifests.length === 0) throw refuse('no-matching-tag', '', 'the layout has no image');
  if (tag === undefined) {
    if (tags.length === 1) return index;
    throw refuse('ambiguous', '', `the layout has several images, name one of ${listed(tags)}`);
  }
  const manifests = index.manifests.filter((entry) => tagOf(entry) === tag);
  if (manifests.length > 0) return { ...index, manifests };
  throw refuse('no-matching-tag', '', `no tag ${quote(tag)} in the layout, it has ${listed(tags)}`);
}

function listed(tags: readonly (string | undefined)[]): string {
  return listing(tags.map((tag) => (tag === undefined ? '(one without a tag)' : quote(tag))));
}
