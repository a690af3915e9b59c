import { type Cursor, fields, integer, quote, type StringMap, string } from '../appc/json.ts';
import { documentCursor, parseJsonText } from '../appc/json-document.ts';
import { withoutUndefined } from '../appc/json-value.ts';
import { type Descriptor, readDescriptor } from './descriptor.ts';
import { refuse } from './errors.ts';
import { manifestLimits, mostLayers } from './limits.ts';
import { indexMediaType, type LayerCompression, layerCompression, mediaKind } from './media-types.ts';

/** What a name or a digest leads to: one image, or a choice of images (image-spec 1.1; Docker v2.2). */
export type Document = Manifest | Index;

export interface Manifest {
  readonly kind: 'manifest';
  readonly config: Descriptor;
  /** From the lowest to the topmost. */
  readonly layers: readonly Layer[];
  readonly annotations: StringMap;
}

export interface Layer extends Descriptor {
  readonly compression: LayerCompression;
}

export interface Index {
  readonly kind: 'index';
  readonly manifests: readonly Descriptor[];
  readonly annotations: StringMap;
}

/** Takes the document's text and what its descriptor or its server calls it, if known. Throws OciError. */
export function readDocument(text: string, mediaType?: string): Document {
  return parseDocument(parseJsonText(text, refuse, manifestLimits), mediaType);
}

export function parseDocument(json: unknown, mediaType?: string): Document {
  const at = documentCursor(json, refuse, manifestLimits);
  return documentKind(at, mediaType) === 'index' ? readIndex(at) : readManifest(at);
}

/** Refuses anything but an index. */
export function parseIndex(json: unknown, mediaType = indexMediaType): Index {
  const document = parseDocument(json, mediaType);
  if (document.kind !== 'index')
    throw refuse('unsupported-media-type', '', 'expected an index, got a manifest');
  return document;
}

/**
 * One text must not be a manifest to one reader and an index to another (CVE-2021-41190): the type that led
 * here, the type inside and the members must agree.
 */
function documentKind(at: Cursor, mediaType: string | undefined): 'manifest' | 'index' {
  const document = fields(at);
  requireSchema2(at);
  const has = (key: string) => document.optional(key, () => true) ?? false;
  const kinds = new Set(
    [mediaType, document.optional('mediaType', string)].filter(isSaid).map(documentMediaKind),
  );
  if (has('layers') || has('config')) kinds.add('manifest');
  if (has('manifests')) kinds.add('index');
  if (kinds.size > 1) throw refuse('unsupported-media-type', at.path, 'is both a manifest and an index');
  return kinds.has('index') ? 'index' : 'manifest';
}

function isSaid(mediaType: string | undefined): mediaType is string {
  return mediaType !== undefined && mediaType !== '';
}

function requireSchema2(at: Cursor): void {
  const version = fields(at).required('schemaVersion', integer(1, 1000));
  if (version === 2) return;
  throw refuse('unsupported-version', 'schemaVersion', `version ${version} is not understood, 2 is`);
}

function documentMediaKind(mediaType: string): Document['kind'] {
  const kind = mediaKind(mediaType);
  if (kind === 'manifest' || kind === 'index') return kind;
  const why = kind === 'schema1' ? ' (Docker gave up that format in 2017)' : '';
  throw refuse(
    'unsupported-media-type',
    'mediaType',
    `expected a manifest or an index, got ${quote(mediaType)}${why}`,
  );
}

function readIndex(at: Cursor): Index {
  const index = fields(at);
  return {
    kind: 'index',
    manifests: index.list('manifests', readDescriptor),
    annotations: index.map('annotations'),
  };
}

function readManifest(at: Cursor): Manifest {
  const manifest = fields(at);
  const artifactType = manifest.optional('artifactType', string);
  const config = manifest.required('config', readDescriptor);
  if (mediaKind(config.mediaType) !== 'config') {
    const what = quote(artifactType || config.mediaType);
    throw refuse(
      'unsupported-media-type',
      'config.mediaType',
      `not an image but an artifact of type ${what}`,
    );
  }
  const layers = manifest.list('layers', readLayer);
  if (layers.length > mostLayers) {
    throw refuse('too-large', 'layers', `${layers.length} layers, at most ${mostLayers} can be stacked`);
  }
  return { kind: 'manifest', config, layers, annotations: manifest.map('annotations') };
}

function readLayer(at: Cursor): Layer {
  const descriptor = readDescriptor(at);
  const compression = layerCompression(descriptor.mediaType);
  if (compression === undefined) {
    const problem = `expected a layer, got ${quote(descriptor.mediaType)}`;
    throw refuse('unsupported-media-type', `${at.path}.mediaType`, problem);
  }
  return withoutUndefined({ ...descriptor, compression });
}
