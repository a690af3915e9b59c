/** What the document or blob behind a media type is. */
export type MediaKind = 'manifest' | 'index' | 'config' | 'layer' | 'schema1';

export type LayerCompression = 'none' | 'gzip' | 'zstd';

interface MediaType {
  readonly kind: MediaKind;
  readonly compression?: LayerCompression;
}

const oci = 'application/vnd.oci.image';
const docker = 'application/vnd.docker';

export const indexMediaType = `${oci}.index.v1+json`;
export const manifestMediaType = `${oci}.manifest.v1+json`;
export const configMediaType = `${oci}.config.v1+json`;
export const tarLayerMediaType = `${oci}.layer.v1.tar`;
export const dockerManifestMediaType = `${docker}.distribution.manifest.v2+json`;
export const dockerConfigMediaType = `${docker}.container.image.v1+json`;
/** Of a tar as it is; with `.gzip` or `.zstd` of a compressed one. */
export const dockerLayerMediaType = `${docker}.image.rootfs.diff.tar`;

/** Layers marked nondistributable or foreign are ordinary layers, which their publisher may hold elsewhere. */
const mediaTypes: ReadonlyMap<string, MediaType> = new Map<string, MediaType>([
  [manifestMediaType, { kind: 'manifest' }],
  [indexMediaType, { kind: 'index' }],
  [configMediaType, { kind: 'config' }],
  [tarLayerMediaType, { kind: 'layer', compression: 'none' }],
  [`${tarLayerMediaType}+gzip`, { kind: 'layer', compression: 'gzip' }],
  [`${tarLayerMediaType}+zstd`, { kind: 'layer', compression: 'zstd' }],
  [`${oci}.layer.nondistributable.v1.tar`, { kind: 'layer', compression: 'none' }],
  [`${oci}.layer.nondistributable.v1.tar+gzip`, { kind: 'layer', compression: 'gzip' }],
  [`${oci}.layer.nondistributable.v1.tar+zstd`, { kind: 'layer', compression: 'zstd' }],
  [dockerManifestMediaType, { kind: 'manifest' }],
  [`${docker}.distribution.manifest.list.v2+json`, { kind: 'index' }],
  [dockerConfigMediaType, { kind: 'config' }],
  [dockerLayerMediaType, { kind: 'layer', compression: 'none' }],
  [`${dockerLayerMediaType}.gzip`, { kind: 'layer', compression: 'gzip' }],
  [`${dockerLayerMediaType}.zstd`, { kind: 'layer', compression: 'zstd' }],
  [`${docker}.image.rootfs.foreign.diff.tar`, { kind: 'layer', compression: 'none' }],
  [`${docker}.image.rootfs.foreign.diff.tar.gzip`, { kind: 'layer', compression: 'gzip' }],
  [`${docker}.distribution.manifest.v1+json`, { kind: 'schema1' }],
  [`${docker}.distribution.manifest.v1+prettyjws`, { kind: 'schema1' }],
]);

/** What an image's name may lead to. */
export const documentMediaTypes: readonly string[] = [...mediaTypes]
  .filter(([, { kind }]) => kind === 'manifest' || kind === 'index')
  .map(([name]) => name);

export function mediaKind(mediaType: string): MediaKind | undefined {
  return mediaTypes.get(mediaType)?.kind;
}

/** How a layer is compressed; undefined where the media type is no layer's. */
export function layerCompression(mediaType: string): LayerCompression | undefined {
  return mediaTypes.get(mediaType)?.compression;
}
