import { type Annotation, readAnnotations } from './annotations.ts';
import { type App, appJson, readApp } from './app.ts';
import { refuse } from './errors.ts';
import { type ImageID, readImageID } from './image-id.ts';
import { type Cursor, fields, integer, kernelString, oneOf } from './json.ts';
import { documentCursor, parseJsonText } from './json-document.ts';
import { unlessEmpty, withoutUndefined } from './json-value.ts';
import { type Label, readLabels } from './labels.ts';
import { type ACIdentifier, readACIdentifier } from './names.ts';
import { acVersion, readACVersion, type SemVer } from './version.ts';

/** What an image says of itself (appc 0.8.11, aci.md, "Image Manifest Schema"). */
export interface ImageManifest {
  readonly acVersion: SemVer;
  readonly name: ACIdentifier;
  readonly labels: readonly Label[];
  /** Absent in images that only others depend on. */
  readonly app?: App;
  readonly annotations: readonly Annotation[];
  readonly dependencies: readonly Dependency[];
  /** If not empty, all that is left of the rendered file system. */
  readonly pathWhitelist: readonly string[];
}

export interface Dependency {
  readonly imageName: ACIdentifier;
  readonly imageID?: ImageID;
  readonly labels: readonly Label[];
  /** In bytes, uncompressed. */
  readonly size?: number;
}

const kind = 'ImageManifest';

export function blankImageManifest(name: ACIdentifier): ImageManifest {
  return { acVersion, name, labels: [], annotations: [], dependencies: [], pathWhitelist: [] };
}

/** Takes the manifest's text. Throws AppcError. */
export function readImageManifest(text: string): ImageManifest {
  return parseImageManifest(parseJsonText(text, refuse));
}

/** Takes what JSON.parse returned. Throws AppcError with the path of what is wrong. */
export function parseImageManifest(json: unknown): ImageManifest {
  const manifest = fields(documentCursor(json, refuse));
  manifest.required('acKind', oneOf(kind));
  return withoutUndefined({
    acVersion: manifest.required('acVersion', readACVersion),
    name: manifest.required('name', readACIdentifier),
    labels: manifest.optional('labels', readLabels) ?? [],
    app: manifest.optional('app', readApp),
    annotations: manifest.optional('annotations', readAnnotations) ?? [],
    dependencies: manifest.list('dependencies', readDependency),
    pathWhitelist: manifest.list('pathWhitelist', kernelString),
  });
}

/** JSON with its members in the order of the Go schema. `indent` as JSON.stringify takes it. */
export function formatImageManifest(manifest: ImageManifest, indent?: string | number): string {
  const json = {
    acKind: kind,
    acVersion: manifest.acVersion,
    name: manifest.name,
    labels: unlessEmpty(manifest.labels),
    app: manifest.app && appJson(manifest.app),
    annotations: unlessEmpty(manifest.annotations),
    dependencies: unlessEmpty(manifest.dependencies.map(dependencyJson)),
    pathWhitelist: unlessEmpty(manifest.pathWhitelist),
  };
  return JSON.stringify(json, undefined, indent);
}

function dependencyJson({ imageName, imageID, labels, size }: Dependency) {
  return { imageName, imageID, labels: unlessEmpty(labels), size };
}

function readDependency(at: Cursor): Dependency {
  const dependency = fields(at);
  return withoutUndefined({
    imageName: dependency.required('imageName', readACIdentifier),
    imageID: dependency.optional('imageID', readImageID),
    labels: dependency.optional('labels', readLabels) ?? [],
    // Go leaves out a size of zero: it means that the size is not known.
    size: dependency.optional('size', integer(0, Number.MAX_SAFE_INTEGER)) || undefined,
  });
}
