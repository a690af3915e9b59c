import { withChecksum } from '../tar-archive.ts';
import type { Dice } from './dice.ts';
import type { TarItem } from './tar-seeds.ts';

const BLOCK = 512;

type Field = readonly [start: number, length: number];

const NUMBERS: readonly Field[] = [
  [100, 8],
  [108, 8],
  [116, 8],
  [124, 12],
  [136, 12],
  [329, 8],
  [337, 8],
  // Where old GNU sparse maps are: offsets, lengths, whether there is more, the size.
  [386, 12],
  [398, 12],
  [410, 12],
  [482, 1],
  [483, 12],
];
const SIZE: Field = [124, 12];
const TEXTS: readonly Field[] = [
  [0, 100],
  [157, 100],
  [257, 8],
  [345, 155],
];
const TYPES = [
  '0',
  '1',
  '2',
  '3',
  '4',
  '5',
  '6',
  '7',
  'x',
  'X',
  'g',
  'L',
  'K',
  'S',
  'V',
  'M',
  'D',
  'N',
  '\0',
  ' ',
];

/** An entry with one thing wrong in its header, whose checksum is right nevertheless. */
export function mutateHeader(item: TarItem, dice: Dice): TarItem {
  const block = Buffer.from(item.subarray(0, BLOCK));
  dice.pick([flipBits, extremeNumber, extremeNumber, otherSize, otherText, swapFields, otherType])(
    block,
    dice,
  );
  const header = dice.chance(0.97) ? withChecksum(block) : block;
  return Buffer.concat([header, item.subarray(BLOCK)]);
}

export function flipBits(bytes: Buffer, dice: Dice): void {
  for (let count = 1 + dice.below(4); count > 0 && bytes.length > 0; count--) {
    const at = dice.below(bytes.length);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << dice.below(8));
  }
}

function extremeNumber(block: Buffer, dice: Dice): void {
  writeExtreme(block, dice.pick(NUMBERS), dice);
}

function writeExtreme(block: Buffer, [start, length]: Field, dice: Dice): void {
  const field = block.subarray(start, start + length);
  dice.pick<() => void>([
    () => field.fill('7'),
    () => field.fill('0'),
    () => field.fill(0),
    () => field.fill(0xff),
    () => field.fill(0x20),
    () => field.fill(dice.bytes(length)),
    // Base 256: the largest, the smallest, the first that is no safe integer, small ones.
    () => field.fill(0xff).writeUInt8(0xbf, 0),
    () => field.fill(0).writeUInt8(0xc0, 0),
    () => field.fill(0).writeUInt8(0x80, 0),
    () =>
      void field
        .fill(0)
        .fill(0x80, 0, 1)
        .fill(0x20, Math.max(length - 7, 1), Math.max(length - 6, 1)),
    () => field.write('8'.padStart(length, '0'), 'latin1'),
    () => field.write('-1'.padEnd(length, '\0'), 'latin1'),
    () => field.write('0x10'.padEnd(length, ' '), 'latin1'),
  ])();
}

/** Off by a little: what was content is read as a header, or the other way round. */
function otherSize(block: Buffer, dice: Dice): void {
  const size = dice.pick([0, 1, 511, 512, 513, 1024, 2 ** 31, 2 ** 32 - 1, 2 ** 33 - 1]);
  block.write(size.toString(8).padStart(11, '0'), SIZE[0], 'latin1');
}

function otherText(block: Buffer, dice: Dice): void {
  const [start, length] = dice.pick(TEXTS);
  const field = block.subarray(start, start + length);
  dice.pick<() => void>([
    () => field.fill('n'),
    () => field.fill(0),
    () => field.fill('../', 'latin1'),
    () => field.fill('/'),
    () => field.fill(dice.bytes(length)),
    () => field.fill('ustar  \0', 'latin1'),
    () => field.fill('.wh.', 'latin1'),
  ])();
}

function swapFields(block: Buffer, dice: Dice): void {
  const [[from, length], [to, other]] = [
    dice.pick([...NUMBERS, ...TEXTS]),
    dice.pick([...NUMBERS, ...TEXTS]),
  ];
  const count = Math.min(length, other);
  const [a, b] = [from, to].map((at) => Buffer.from(block.subarray(at, at + count)));
  b?.copy(block, from);
  a?.copy(block, to);
}

function otherType(block: Buffer, dice: Dice): void {
  block[156] = dice.chance(0.9) ? dice.pick(TYPES).charCodeAt(0) : dice.below(256);
}
