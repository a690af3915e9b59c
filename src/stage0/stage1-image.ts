import { existsSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import {
  entrypointAnnotation,
  INTERFACE_VERSION_ANNOTATION,
  STAGE1_INTERFACE_VERSION,
} from '../abi/stage1.ts';
import { interfaceVersion } from '../abi/stage1-versions.ts';
import { annotationValue, type ImageManifest, labelValue } from '../appc/index.ts';
import {
  canonicalReference,
  type FetchCheck,
  fetchImage,
  parseReference,
  readyImage,
} from '../image/index.ts';
import type { ImageRecord, Store } from '../store/index.ts';
import { Stage0Error } from './errors.ts';
import type { Host } from './host.ts';
import type { ImageSession } from './image-session.ts';
import { ownStage1Images } from './installation.ts';

/** Which stage1 a pod gets, as the command line says. */
export type Stage1Choice =
  | { readonly kind: 'default' }
  /** A local ACI; one that does not exist is looked for beside the images that come with rkt. */
  | { readonly kind: 'path'; readonly path: string }
  /** An ACI to be fetched, or an image of a registry's. */
  | { readonly kind: 'url'; readonly url: string }
  /** `NAME` or `NAME:VERSION`. */
  | { readonly kind: 'name'; readonly name: string }
  /** An image id or the beginning of one. */
  | { readonly kind: 'hash'; readonly hash: string }
  /** A file of the stage1-images directory. */
  | { readonly kind: 'from-dir'; readonly file: string };

const DEFAULT_FILE = 'stage1-kvm.aci';

/**
 * Finds the stage1's image, imports it where needed. A stage1's programs run as root of the host, so only what the
 * operator names or that lies in the stage1-images directory becomes one; from the store are taken those that were such
 * files once, never an app's image, whatever it calls itself. Throws Stage0Error `bad-stage1`, and what the import throws.
 */
export async function resolveStage1(
  host: Host,
  session: ImageSession,
  choice: Stage1Choice,
): Promise<ImageRecord> {
  const image = await find(host, session, choice);
  checkInterface(image.manifest);
  return image;
}

function find(host: Host, session: ImageSession, choice: Stage1Choice): Promise<ImageRecord> {
  switch (choice.kind) {
    case 'default':
      return findDefault(host, session);
    case 'path':
      return importPath(host, session, choice.path);
    case 'url':
      return importUrl(session, choice.url);
    case 'name':
      return findNamed(host, session, choice.name);
    case 'hash':
      return findHash(session, choice.hash);
    case 'from-dir':
      return importOurs(host, session, basename(choice.file));
    default:
      return choice satisfies never;
  }
}

/** The configured name, else the configured location, else the default of the stage1-images directory, else the one that comes with rkt. */
async function findDefault(host: Host, session: ImageSession): Promise<ImageRecord> {
  const { name, version, location } = host.configuration.stage1;
  const named = name === undefined ? undefined : await tryNamed(host, session, { name, version });
  if (named !== undefined) return named;
  if (location === undefined) {
    const file = [imagesDirectory(host), ownStage1Images()].map((directory) => join(directory, DEFAULT_FILE));
    return importStage1(
      session,
      file.find((path) => existsSync(path)) ?? join(ownStage1Images(), DEFAULT_FILE),
      true,
    );
  }
  return importStage1(session, location, isOurs(host, location));
}

function importPath(host: Host, session: ImageSession, path: string): Promise<ImageRecord> {
  const given = resolve(path);
  const found = existsSync(given) ? given : join(imagesDirectory(host), path);
  return importStage1(session, existsSync(found) ? found : given, isOurs(host, found));
}

/** Verified as any image that is fetched: what signs it is trusted for its name. */
function importUrl(session: ImageSession, url: string): Promise<ImageRecord> {
  if (!/^(https?|docker|file):/.test(url))
    throw bad(`--stage1-url: ${JSON.stringify(url)} is not an http, https, docker or file URL`);
  return importStage1(session, url, false);
}

async function findNamed(host: Host, session: ImageSession, text: string): Promise<ImageRecord> {
  const [name = '', version] = text.split(':');
  const found = await tryNamed(host, session, { name, version });
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
  session: ImageSession,
  wanted: Stage1Name,
): Promise<ImageRecord | undefined> {
  const file = fileOf(host, wanted.name);
  const image = existsSync(file) ? await importOurs(host, session, basename(file)) : undefined;
  if (image !== undefined && isNamed(image, wanted)) return image;
  const stored = findInStore(session.store, wanted);
  return stored === undefined ? undefined : readyImage(session.store, stored, session.options);
}

function fileOf(host: Host, name: string): string {
  return join(imagesDirectory(host), `${basename(name)}.aci`);
}

function findInStore(store: Store, wanted: Stage1Name): ImageRecord | undefined {
  return (
    store
      .list()
      .map((id) => store.get(id))
      .filter((image) => image !== undefined)
      .filter((image) => image.isStage1 && isNamed(image, wanted))
      // Not by what the record says of its time: the group may write records.
      .sort((a, b) => store.stage1Time(b) - store.stage1Time(a))[0]
  );
}

/** By an image id alone: a path would be a file that nobody has verified. */
async function findHash(session: ImageSession, hash: string): Promise<ImageRecord> {
  const reference = { kind: 'image-id', text: hash, id: hash } as const;
  const image = await fetchImage(session.context, { reference, pullPolicy: 'never' }, session.options);
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
function importOurs(host: Host, session: ImageSession, file: string): Promise<ImageRecord> {
  return importStage1(session, join(imagesDirectory(host), file), true);
}

async function importStage1(session: ImageSession, text: string, isTrusted: boolean): Promise<ImageRecord> {
  const reference = parseReference(text, process.cwd());
  const { context, options, store } = session;
  const insecure = {
    has: (check: FetchCheck) => (isTrusted && check === 'image') || context.insecure.has(check),
  };
  const key = canonicalReference(reference);
  const image = await fetchImage(
    { ...context, insecure },
    { reference, pullPolicy: 'new' },
    // Others may write to the store: for root only that counts which root has noted.
    { ...options, accepts: (stored) => store.isStage1From(stored, key) },
  );
  checkInterface(image.manifest);
  return store.markStage1(image, key);
}

function isOurs(host: Host, path: string): boolean {
  return host.insecure.has('image') || dirname(resolve(path)) === imagesDirectory(host);
}

function imagesDirectory(host: Host): string {
  return host.configuration.stage1Images ?? ownStage1Images();
}

function checkInterface(manifest: ImageManifest): void {
  const { name, annotations } = manifest;
  if (interfaceVersion(annotations) === undefined) {
    const version = annotationValue(annotations, INTERFACE_VERSION_ANNOTATION);
    throw bad(
      `${name} is of stage1 interface version ${version}: 1 to ${STAGE1_INTERFACE_VERSION} are known`,
    );
  }
  if (annotationValue(manifest.annotations, entrypointAnnotation('run')) === undefined)
    throw bad(`${manifest.name} has no annotation ${entrypointAnnotation('run')}: it is no stage1`);
  // They come from the store, to which others may write.
  if (manifest.dependencies.length > 0)
    throw bad(`${manifest.name} depends on other images, which a stage1 must not`);
}

function bad(message: string): Stage0Error {
  return new Stage0Error('bad-stage1', message);
}
