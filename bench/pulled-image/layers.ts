import { randomFrom } from '../../test/support/random.ts';
import * as tar from '../../test/support/tar-archive.ts';
import { type ContentKind, ContentPools } from './content.ts';

/** Of one layer; five of them are an image of 20,000 files and 300 MB. */
const FILES = 4000;
const BYTES = 60_000_000;
const FILES_PER_DIRECTORY = 12;
/** The middle and the spread (of the logarithm) of file sizes in a Debian's root file system. */
const MEDIAN_SIZE = 2500;
const SPREAD = 1.9;
const LARGEST = 6_000_000;

const KINDS: ReadonlyArray<readonly [share: number, kind: ContentKind, mode: number]> = [
  [0.55, 'text', 0o644],
  [0.9, 'program', 0o755],
  [1, 'archive', 0o644],
];

/** A layer's uncompressed tar in pieces: packages of directories, files and links. The same for the same number. */
export function* layerTar(layer: number): Generator<Buffer, void, undefined> {
  const random = randomFrom(1000 + layer);
  const pools = new ContentPools(random);
  const sizes = fileSizes(random);
  yield tar.directory('usr/', ROOT);
  yield tar.directory('usr/share/', ROOT);
  for (let first = 0; first < FILES; first += FILES_PER_DIRECTORY) {
    const directory = `usr/share/package-${layer}-${first}`;
    yield tar.directory(`${directory}/`, ROOT);
    for (const [index, size] of sizes.slice(first, first + FILES_PER_DIRECTORY).entries()) {
      const draw = random();
      const [, kind, mode] = KINDS.find(([share]) => draw < share) ?? [1, 'archive', 0o644];
      yield tar.file(`${directory}/${kind}-${index}`, pools.cut(kind, size), { ...ROOT, mode });
    }
    yield tar.entry({ ...ROOT, name: `${directory}/link`, type: '2', mode: 0o777, link: 'text-0' });
  }
  yield tar.archive();
}

const ROOT = { uid: 0, gid: 0 };

/** Distributed as those of a Debian, and together `BYTES`. */
function fileSizes(random: () => number): number[] {
  const drawn = Array.from({ length: FILES }, () =>
    Math.min(LARGEST, MEDIAN_SIZE * Math.exp(SPREAD * normal(random))),
  );
  const scale = BYTES / drawn.reduce((sum, size) => sum + size, 0);
  return drawn.map((size) => Math.min(LARGEST, Math.round(size * scale)));
}

/** Box and Muller's. */
function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
