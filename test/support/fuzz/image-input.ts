import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ACI_MANIFEST } from '../image-files.ts';
import type { Answer } from '../scripted-server.ts';
import * as tar from '../tar-archive.ts';
import type { Dice } from './dice.ts';
import type { Surroundings } from './hostile-names.ts';
import { mutateJson } from './json-mutation.ts';
import { type DocumentName, type FuzzLayer, type OciDocuments, ociDocuments } from './oci-documents.ts';
import { pack } from './packing.ts';
import { REPOSITORY, registryAnswers, TAG } from './registry-answers.ts';
import { mutateTar } from './tar-mutation.ts';
import { lowerItems, seedItems, type TarItem } from './tar-seeds.ts';

/** What of an image is not as it should be. */
export type Surface = 'aci' | 'aci-manifest' | 'layer' | 'documents' | 'archive' | 'registry';

/** Where an image can be put. */
export interface Site {
  readonly directory: string;
  /** Has a registry give these answers from now on; its `HOST:PORT`. */
  serve(answer: Answer): string;
}

export interface ImageInput {
  readonly surface: Surface;
  /** Puts the image there and returns the reference that names it. */
  place(site: Site): string;
}

const SHARES: ReadonlyArray<readonly [percent: number, surface: Surface]> = [
  [28, 'aci'],
  [39, 'aci-manifest'],
  [69, 'layer'],
  [80, 'documents'],
  [87, 'archive'],
  [100, 'registry'],
];

const MANIFEST = {
  ...ACI_MANIFEST,
  app: {
    exec: ['/bin/true', '--flag'],
    user: '0',
    group: '0',
    eventHandlers: [{ name: 'pre-start', exec: ['/bin/prepare'] }],
    workingDirectory: '/srv',
    environment: [{ name: 'MODE', value: 'fuzz' }],
    mountPoints: [{ name: 'data', path: '/var/lib/data', readOnly: false }],
    ports: [{ name: 'www', port: 80, protocol: 'tcp', count: 2 }],
    isolators: [{ name: 'resource/memory', value: { limit: '64M' } }],
  },
  annotations: [{ name: 'created', value: '2020-01-02T03:04:05Z' }],
  dependencies: [],
};

export function imageInput(dice: Dice, around: Surroundings): ImageInput {
  const draw = dice.below(100);
  const surface = SHARES.find(([percent]) => draw < percent)?.[1] ?? 'aci';
  return { surface, place: (site) => PLACERS[surface](dice, around, site) };
}

/** An image in a registry with which nothing is wrong: what fetching it takes is loaded from then on. */
export function validInput(): ImageInput {
  const archive = tar.archive(...lowerItems('/nowhere'));
  const layer = { tar: archive, packed: { bytes: gzipSync(archive), suffix: '+gzip' } } as const;
  const answers = registryAnswers(ociDocuments([layer], valid));
  return { surface: 'registry', place: ({ serve }) => `docker://${serve(answers)}/${REPOSITORY}:${TAG}` };
}

const PLACERS: Readonly<Record<Surface, (dice: Dice, around: Surroundings, site: Site) => string>> = {
  aci: (dice, around, { directory }) => {
    const items = aciItems(dice, JSON.stringify(MANIFEST));
    const other = dice.chance(0.5) ? aciItems(dice, '{}') : layerItems(dice);
    return writeAci(mutateTar(items, dice, { ...around, prefix: 'rootfs/', other }), dice, directory);
  },
  'aci-manifest': (dice, _, { directory }) => {
    const listed = { ...MANIFEST, pathWhitelist: ['/etc/first', '/etc'] };
    const manifest = mutateJson(dice.chance(0.3) ? listed : MANIFEST, dice);
    return writeAci(tar.archive(...aciItems(dice, manifest)), dice, directory);
  },
  layer: (dice, around, { directory }) =>
    writeLayout(ociDocuments(layers(dice, around, true), valid), directory),
  documents: (dice, around, { directory }) =>
    writeLayout(ociDocuments(layers(dice, around, false), oneMutated(dice)), directory),
  archive: (dice, around, { directory }) => {
    const isDocker = dice.chance(0.5);
    const stack = layers(dice, around, false);
    const documents = ociDocuments(stack, isDocker && dice.chance(0.5) ? oneMutated(dice) : valid);
    const files = isDocker ? dockerFiles(documents, stack, dice) : layoutFiles(documents);
    const entries = files.map(([name, bytes]) => tar.file(name, bytes));
    const path = join(directory, 'image.tar');
    writeFileSync(path, mutateTar(entries, dice, { ...around, prefix: 'blobs/', other: layerItems(dice) }));
    return isDocker ? `docker-archive:${path}` : `oci-archive:${path}:latest`;
  },
  registry: (dice, around, { directory, serve }) => {
    const write = dice.chance(0.3) ? oneMutated(dice) : valid;
    const documents = ociDocuments(layers(dice, around, dice.chance(0.3)), write);
    writeLayout(documents, directory);
    return `docker://${serve(registryAnswers(documents, dice))}/${REPOSITORY}:${TAG}`;
  },
};

function aciItems(dice: Dice, manifest: string): TarItem[] {
  const top = [tar.file('manifest', manifest), tar.directory('rootfs', { uid: 0, gid: 0 })];
  return [...top, ...seedItems(dice, 'rootfs/', false)];
}

function layerItems(dice: Dice): TarItem[] {
  return seedItems(dice, '', true);
}

/** One layer, or one on another; the upper one may have been mutated. */
function layers(dice: Dice, around: Surroundings, mutated: boolean): FuzzLayer[] {
  const items = layerItems(dice);
  const upper = mutated
    ? mutateTar(items, dice, { ...around, prefix: '', other: lowerItems(around.outside) })
    : tar.archive(...items);
  const lower = tar.archive(...lowerItems(around.outside));
  const stack = dice.chance(0.8) || !mutated ? [lower, upper] : [upper];
  return stack.map((bytes) => ({ tar: bytes, packed: pack(bytes, dice, 'oci') }));
}

const valid = (_: DocumentName, document: unknown) => JSON.stringify(document);

function oneMutated(dice: Dice) {
  const chosen = dice.pick<DocumentName>([
    'config',
    'config',
    'manifest',
    'manifest',
    'variants',
    'index',
    'layout',
  ]);
  return (name: DocumentName, document: unknown) =>
    name === chosen ? mutateJson(document, dice) : JSON.stringify(document);
}

function writeAci(archive: Buffer, dice: Dice, directory: string): string {
  const path = join(directory, 'image.aci');
  writeFileSync(path, pack(archive, dice, 'aci').bytes);
  return path;
}

function layoutFiles({ blobs, index, layout }: OciDocuments): [name: string, bytes: Buffer][] {
  return [
    ['oci-layout', Buffer.from(layout)],
    ['index.json', Buffer.from(index)],
    ...[...blobs].map(([hex, bytes]): [string, Buffer] => [`blobs/sha256/${hex}`, bytes]),
  ];
}

/** What `docker save` writes: an index of its own beside configuration and plain layers. */
function dockerFiles(
  { config }: OciDocuments,
  stack: readonly FuzzLayer[],
  dice: Dice,
): [name: string, bytes: Buffer][] {
  const layerFiles = stack.map(({ tar: bytes }, at): [string, Buffer] => [`${at}/layer.tar`, bytes]);
  const image = {
    Config: 'config.json',
    RepoTags: ['fuzz:latest'],
    Layers: layerFiles.map(([name]) => name),
  };
  const index = dice.chance(0.5) ? mutateJson([image], dice) : JSON.stringify([image]);
  return [['manifest.json', Buffer.from(index)], ['config.json', Buffer.from(config)], ...layerFiles];
}

function writeLayout(documents: OciDocuments, directory: string): string {
  mkdirSync(join(directory, 'layout/blobs/sha256'), { recursive: true });
  for (const [name, bytes] of layoutFiles(documents)) writeFileSync(join(directory, 'layout', name), bytes);
  return `oci:${join(directory, 'layout')}:latest`;
}
