import { type Annotation, readAnnotations } from './annotations.ts';
import { type App, appJson, isolatorJson, readApp } from './app.ts';
import { refuse } from './errors.ts';
import { type ImageID, readImageID } from './image-id.ts';
import type { Isolator } from './isolator.ts';
import { readIsolators } from './isolator-reader.ts';
import { arrayOf, boolean, type Cursor, fields, oneOf, type Reader, type StringMap, unique } from './json.ts';
import { documentCursor, parseJsonText } from './json-document.ts';
import { sortedMap, unlessEmpty, withoutUndefined } from './json-value.ts';
import { type Label, readLabels } from './labels.ts';
import { type ACIdentifier, type ACName, readACIdentifier, readACName } from './names.ts';
import { type ExposedPort, exposedPortJson, readExposedPort } from './port.ts';
import { acVersion, readACVersion, type SemVer } from './version.ts';
import { type Mount, mountJson, readMount, readVolume, type Volume, volumeJson } from './volume.ts';

/** What a pod is made of (appc 0.8.11, pods.md, "Pod Manifest Schema"). */
export interface PodManifest {
  readonly acVersion: SemVer;
  readonly apps: readonly RuntimeApp[];
  readonly volumes: readonly Volume[];
  readonly isolators: readonly Isolator[];
  readonly annotations: readonly Annotation[];
  readonly ports: readonly ExposedPort[];
  readonly userAnnotations: StringMap;
  readonly userLabels: StringMap;
}

/** An image in its place in a pod. */
export interface RuntimeApp {
  readonly name: ACName;
  readonly image: RuntimeImage;
  /** Takes the place of the image's app as a whole. */
  readonly app?: App;
  readonly readOnlyRootFS: boolean;
  readonly mounts: readonly Mount[];
  readonly annotations: readonly Annotation[];
}

export interface RuntimeImage {
  readonly id: ImageID;
  readonly name?: ACIdentifier;
  readonly labels: readonly Label[];
}

const kind = 'PodManifest';

export const blankPodManifest: PodManifest = {
  acVersion,
  apps: [],
  volumes: [],
  isolators: [],
  annotations: [],
  ports: [],
  userAnnotations: {},
  userLabels: {},
};

/** Takes the manifest's text. Throws AppcError. */
export function readPodManifest(text: string): PodManifest {
  return parsePodManifest(parseJsonText(text, refuse));
}

/** Takes what JSON.parse returned. Throws AppcError with the path of what is wrong. */
export function parsePodManifest(json: unknown): PodManifest {
  const manifest = fields(documentCursor(json, refuse));
  manifest.required('acKind', oneOf(kind));
  return {
    acVersion: manifest.required('acVersion', readACVersion),
    apps: manifest.optional('apps', uniqueByName(readRuntimeApp, 'app name')) ?? [],
    volumes: manifest.optional('volumes', uniqueByName(readVolume, 'volume name')) ?? [],
    isolators: manifest.optional('isolators', readIsolators) ?? [],
    annotations: manifest.optional('annotations', readAnnotations) ?? [],
    ports: manifest.list('ports', readExposedPort),
    userAnnotations: manifest.map('userAnnotations'),
    userLabels: manifest.map('userLabels'),
  };
}

/** JSON with its members in the order of the Go schema. `indent` as JSON.stringify takes it. */
export function formatPodManifest(manifest: PodManifest, indent?: string | number): string {
  const json = {
    acVersion: manifest.acVersion,
    acKind: kind,
    apps: manifest.apps.map(runtimeAppJson),
    volumes: manifest.volumes.map(volumeJson),
    isolators: manifest.isolators.map(isolatorJson),
    annotations: manifest.annotations,
    ports: manifest.ports.map(exposedPortJson),
    userAnnotations: sortedMap(manifest.userAnnotations),
    userLabels: sortedMap(manifest.userLabels),
  };
  return JSON.stringify(json, undefined, indent);
}

function runtimeAppJson(app: RuntimeApp) {
  const { id, name, labels } = app.image;
  return {
    name: app.name,
    image: { name, id, labels: unlessEmpty(labels) },
    app: app.app && appJson(app.app),
    readOnlyRootFS: app.readOnlyRootFS || undefined,
    mounts: unlessEmpty(app.mounts.map(mountJson)),
    annotations: unlessEmpty(app.annotations),
  };
}

function readRuntimeApp(at: Cursor): RuntimeApp {
  const app = fields(at);
  return withoutUndefined({
    name: app.required('name', readACName),
    image: app.required('image', readRuntimeImage),
    app: app.optional('app', readApp),
    readOnlyRootFS: app.optional('readOnlyRootFS', boolean) ?? false,
    mounts: app.list('mounts', readMount),
    annotations: app.optional('annotations', readAnnotations) ?? [],
  });
}

function readRuntimeImage(at: Cursor): RuntimeImage {
  const image = fields(at);
  return withoutUndefined({
    id: image.required('id', readImageID),
    name: image.optional('name', readACIdentifier),
    labels: image.optional('labels', readLabels) ?? [],
  });
}

function uniqueByName<T extends { readonly name: string }>(
  read: Reader<T>,
  what: string,
): Reader<readonly T[]> {
  return (at) => {
    const list = arrayOf(read)(at);
    unique(at, list, (item) => item.name, what);
    return list;
  };
}
