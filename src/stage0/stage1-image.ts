import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import {
  entrypointAnnotation,
  INTERFACE_VERSION_ANNOTATION,
  STAGE1_INTERFACE_VERSION,
} from '../abi/stage1.ts';
import { annotationValue, type ImageManifest, labelValue } from '../appc/index.ts';
import { type FetchCheck, fetchImage, type ImportOptions, parseReference } from '../image/index.ts';
import type { ImageRecord, Store } from '../store/index.ts';
import { Stage0Error } from './errors.ts';
import type { Host } from './host.ts';
import { fetchContext } from './image-context.ts';
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

/**
 * Finds the stage1's image, imports it where needed. A stage1's programs run as root of the host, so only a file that the
 * operator names or that lies in the stage1-images directory becomes one; from the store are taken those that were such
 * files once, never an app's image, whatever it calls itself. Throws Stage0Error `bad-stage1`, and what the import throws.
 */
export async function resolveStage1(
  host: Host,
  store: Store,
  choice: Stage1Choice,
  options: ImportOptions,
): Promise<ImageRecord> {
  const image = await find(host, store, choice, options);
  checkInterface(image.manifest);
  return image;
}

function find(host: Host, store: Store, choice: Stage1Choice, options: ImportOptions): Promise<ImageRecord> {
  switch (choice.kind) {
    case 'default':
      return findDefault(host, store, options);
    case 'path':
      return importPath(host, store, choice.path, options);
    case 'name':
      return findNamed(host, store, choice.name, options);
    case 'hash':
      return findHash(host, store, choice.hash, options);
    case 'from-dir':
      return importOurs(host, store, basename(choice.file), options);
    default:
      return choice satisfies never;
  }
}

/** The configured name, else the configured location, else the default of the stage1-images directory, else the one that comes with rkt. */
async function findDefault(host: Host, store: Store, options: ImportOptions): Promise<ImageRecord> {
  const { name, version, location } = host.configuration.stage1;
  const named = name === undefined ? undefined : await tryNamed(host, store, { name, version }, options);
  if (named !== undefined) return named;
  if (location === undefined) {
    const file = [imagesDirectory(host), ownStage1Images()].map((directory) => join(directory, DEFAULT_FILE));
    return importStage1(
      host,
      store,
      file.find((path) => existsSync(path)) ?? join(ownStage1Images(), DEFAULT_FILE),
      true,
      options,
    );
  }
  return importStage1(host, store, location, isOurs(host, location), options);
}

function importPath(host: Host, store: Store, path: string, options: ImportOptions): Promise<ImageRecord> {
  const given = resolve(path);
  const found = existsSync(given) ? given : join(imagesDirectory(host), path);
  return importStage1(host, store, existsSync(found) ? found : given, isOurs(host, found), options);
}

async function findNamed(
  host: Host,
  store: Store,
  text: string,
  options: ImportOptions,
): Promise<ImageRecord> {
  const [name = '', version] = text.split(':');
  const found = await tryNamed(host, store, { name, version }, options);
  if (found !== undefined) return found;
  throw bad(
    `no stage1 image ${text}: neither ${fileOf(host, name)} nor one in the store that was given as a stage1`,
  );
}

interface Stage1Name {
  readonly name: string;
  readonly version: string | undefined;
}

/** The file in the stage1-images directory if that is the image, else the newest stage1 of that name in the store. */
async function tryNamed(
  host: Host,
  store: Store,
  wanted: Stage1Name,
  options: ImportOptions,
): Promise<ImageRecord | undefined> {
  const file = fileOf(host, wanted.name);
  const image = existsSync(file) ? await importOurs(host, store, basename(file), options) : undefined;
  return image !== undefined && isNamed(image, wanted) ? image : findInStore(store, wanted);
}

function fileOf(host: Host, name: string): string {
  return join(imagesDirectory(host), `${basename(name)}.aci`);
}

function findInStore(store: Store, wanted: Stage1Name): ImageRecord | undefined {
  return store
    .list()
    .map((id) => store.get(id))
    .filter((image) => image !== undefined)
    .filter((image) => image.isStage1 && isNamed(image, wanted))
    .sort((a, b) => b.importTime - a.importTime)[0];
}

/** By an image id alone: a path would be a file that nobody has verified. */
async function findHash(
  host: Host,
  store: Store,
  hash: string,
  options: ImportOptions,
): Promise<ImageRecord> {
  const reference = { kind: 'image-id', text: hash, id: hash } as const;
  const image = await fetchImage(fetchContext(host, store), { reference }, options);
  if (image.isStage1) return image;
  throw bad(
    `image ${image.id} (${image.manifest.name}) was never given as a stage1: give its file by --stage1-path`,
  );
}

function isNamed(image: ImageRecord, { name, version }: Stage1Name): boolean {
  if (image.manifest.name !== name) return false;
  return version === undefined || labelValue(image.manifest.labels, 'version') === version;
}

/** What comes with rkt needs no signature. */
function importOurs(host: Host, store: Store, file: string, options: ImportOptions): Promise<ImageRecord> {
  return importStage1(host, store, join(imagesDirectory(host), file), true, options);
}

async function importStage1(
  host: Host,
  store: Store,
  text: string,
  isTrusted: boolean,
  options: ImportOptions,
): Promise<ImageRecord> {
  const reference = parseReference(text, process.cwd());
  const context = fetchContext(host, store);
  const insecure = {
    has: (check: FetchCheck) => (isTrusted && check === 'image') || context.insecure.has(check),
  };
  const image = await fetchImage({ ...context, insecure }, { reference }, options);
  checkInterface(image.manifest);
  return store.markStage1(image);
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
