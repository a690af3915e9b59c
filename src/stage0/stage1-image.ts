import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import {
  entrypointAnnotation,
  INTERFACE_VERSION_ANNOTATION,
  STAGE1_INTERFACE_VERSION,
} from '../abi/stage1.ts';
import { annotationValue, type ImageManifest, labelValue } from '../appc/index.ts';
import { importImage, parseReference } from '../image/index.ts';
import type { ImageRecord, Store } from '../store/index.ts';
import { Stage0Error } from './errors.ts';
import type { Attention, Host } from './host.ts';
import { ownStage1Images } from './installation.ts';

/** Which stage1 a pod gets, as the command line says. */
export type Stage1Choice =
  | { readonly kind: 'default' }
  /** A local ACI; one that does not exist is looked for beside the images that come with rkt. */
  | { readonly kind: 'path'; readonly path: string }
  /** `NAME` or `NAME:VERSION`. */
  | { readonly kind: 'name'; readonly name: string }
  /** An image id or the beginning of one. */
  | { readonly kind: 'hash'; readonly hash: string }
  /** A file of the stage1-images directory. */
  | { readonly kind: 'from-dir'; readonly file: string };

const DEFAULT_FILE = 'stage1-kvm.aci';

/** Finds the stage1's image, imports it where needed. Throws Stage0Error `bad-stage1`, and what the import throws. */
export async function resolveStage1(
  host: Host,
  store: Store,
  choice: Stage1Choice,
  attention: Attention,
): Promise<ImageRecord> {
  const image = await find(host, store, choice, attention);
  checkInterface(image.manifest);
  return image;
}

function find(host: Host, store: Store, choice: Stage1Choice, attention: Attention): Promise<ImageRecord> {
  switch (choice.kind) {
    case 'default':
      return findDefault(host, store, attention);
    case 'path':
      return importPath(host, store, choice.path, attention);
    case 'name':
      return findNamed(host, store, choice.name, attention);
    case 'hash':
      return importText(store, choice.hash, true, attention);
    case 'from-dir':
      return importText(store, join(imagesDirectory(host), basename(choice.file)), true, attention);
    default:
      return choice satisfies never;
  }
}

/** The configured name from the store, else the configured location, else the image that comes with rkt. */
async function findDefault(host: Host, store: Store, attention: Attention): Promise<ImageRecord> {
  const { name, version, location } = host.configuration.stage1;
  const stored = name === undefined ? undefined : findInStore(store, name, version);
  if (stored !== undefined) return stored;
  if (location === undefined)
    return importText(store, join(imagesDirectory(host), DEFAULT_FILE), true, attention);
  return importText(store, location, isOurs(host, location), attention);
}

function importPath(host: Host, store: Store, path: string, attention: Attention): Promise<ImageRecord> {
  const given = resolve(path);
  const found = existsSync(given) ? given : join(imagesDirectory(host), path);
  return importText(store, existsSync(found) ? found : given, isOurs(host, found), attention);
}

async function findNamed(host: Host, store: Store, text: string, attention: Attention): Promise<ImageRecord> {
  const [name = '', version] = text.split(':');
  const stored = findInStore(store, name, version);
  if (stored !== undefined) return stored;
  const path = join(imagesDirectory(host), `${basename(name)}.aci`);
  if (!existsSync(path)) throw bad(`no stage1 image named ${text} in the store, and no ${path}`);
  const image = await importText(store, path, true, attention);
  if (isNamed(image, name, version)) return image;
  throw bad(`${path} is ${image.manifest.name}, not ${text}`);
}

/** The newest of that name. */
function findInStore(store: Store, name: string, version: string | undefined): ImageRecord | undefined {
  return store
    .list()
    .map((id) => store.get(id))
    .filter((image) => image !== undefined)
    .filter((image) => isNamed(image, name, version))
    .sort((a, b) => b.importTime - a.importTime)[0];
}

function isNamed(image: ImageRecord, name: string, version: string | undefined): boolean {
  if (image.manifest.name !== name) return false;
  return version === undefined || labelValue(image.manifest.labels, 'version') === version;
}

/** What comes with rkt, and what the store was once given, needs no signature. */
function importText(
  store: Store,
  text: string,
  isTrusted: boolean,
  attention: Attention,
): Promise<ImageRecord> {
  const reference = parseReference(text, process.cwd());
  return importImage(store, reference, { ...attention, insecureImage: isTrusted });
}

function isOurs(host: Host, path: string): boolean {
  return host.insecure.has('image') || dirname(resolve(path)) === imagesDirectory(host);
}

function imagesDirectory(host: Host): string {
  return host.configuration.stage1Images ?? ownStage1Images();
}

function checkInterface(manifest: ImageManifest): void {
  const version = Number(annotationValue(manifest.annotations, INTERFACE_VERSION_ANNOTATION) ?? '1');
  if (version !== STAGE1_INTERFACE_VERSION)
    throw bad(`${manifest.name} is of stage1 interface version ${version}, not ${STAGE1_INTERFACE_VERSION}`);
  if (annotationValue(manifest.annotations, entrypointAnnotation('run')) === undefined)
    throw bad(`${manifest.name} has no annotation ${entrypointAnnotation('run')}: it is no stage1`);
}

function bad(message: string): Stage0Error {
  return new Stage0Error('bad-stage1', message);
}
