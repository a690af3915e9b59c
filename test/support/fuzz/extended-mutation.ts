import * as tar from '../tar-archive.ts';
import type { Dice } from './dice.ts';
import { hostileName, hostileTarget, type Surroundings } from './hostile-names.ts';
import type { TarItem } from './tar-seeds.ts';

type PaxPair = readonly [key: string, value: string | Buffer];

const NUMBERS = [
  '',
  '0',
  '-1',
  '1',
  '4',
  '4096',
  '1e3',
  '0x1',
  ' 7',
  '4294967295',
  '9007199254740993',
  '9'.repeat(40),
];
const TIMES = [
  '',
  '0',
  '-0.5',
  '1.',
  '.5',
  '-9999999999999.999999999',
  '999999999999999',
  '1e9',
  'now',
  '1.2.3',
];
const XATTRS = [
  ...['user.', 'user.mark', 'user.overlay.opaque', 'trusted.overlay.opaque', 'trusted.overlay.redirect'],
  ...[
    'security.capability',
    'security.selinux',
    'system.posix_acl_access',
    '',
    'nonsense',
    `user.${'n'.repeat(300)}`,
  ],
];
const SPARSE = [
  'size',
  'realsize',
  'major',
  'minor',
  'name',
  'map',
  'offset',
  'numbytes',
  'numblocks',
  'unknown',
];
const MAPS = [
  '',
  ',',
  '0',
  '0,4',
  '0,4,4',
  '0,4,2,4',
  '4,4,0,4',
  '0,0',
  '0,9007199254740991',
  '-1,4',
  '0,4,'.repeat(500),
];
const LARGE = 200_000;

/** A header before an entry that says something odd about it. */
export function oddExtendedHeader(dice: Dice, taken: readonly string[], around: Surroundings): TarItem {
  const name = () => hostileName(dice, taken, around);
  return dice.pick<() => TarItem>([
    () => tar.pax([['path', name()]]),
    () => tar.pax([['linkpath', hostileTarget(dice, taken, around)]]),
    () => tar.pax(Array.from({ length: 1 + dice.below(4) }, () => oddRecord(dice, taken, around))),
    () =>
      tar.pax(
        Array.from({ length: 1 + dice.below(4) }, () => oddRecord(dice, taken, around)),
        'g',
      ),
    () => tar.pax(sparseRecords(dice)),
    () => tar.entry({ name: 'pax', type: dice.pick(['x', 'g', 'X']) }, malformed(dice)),
    () => tar.entry({ name: '././@LongLink', type: dice.pick(['L', 'K']), magic: 'ustar  \0' }, name()),
    () =>
      tar.entry({
        name: 'pax',
        type: dice.pick(['x', 'L', 'K', 'V']),
        size: dice.pick([2 ** 20, 2 ** 21, 2 ** 33 - 1]),
      }),
  ])();
}

function oddRecord(dice: Dice, taken: readonly string[], around: Surroundings): PaxPair {
  return dice.pick<() => PaxPair>([
    () => ['path', hostileName(dice, taken, around)],
    () => ['linkpath', hostileTarget(dice, taken, around)],
    () => [dice.pick(['size', 'uid', 'gid']), dice.pick(NUMBERS)],
    () => [dice.pick(['mtime', 'atime']), dice.pick(TIMES)],
    () => [`SCHILY.xattr.${dice.pick(XATTRS)}`, dice.bytes(dice.pick([0, 1, 20, 400]))],
    () => [`SCHILY.xattr.user.${dice.below(100)}`, Buffer.alloc(dice.pick([65_536, 65_537, LARGE]), 'v')],
    () => [
      dice.pick(['hdrcharset', 'SCHILY.fflags', 'LIBARCHIVE.xattr.user.x', '__proto__', 'k'.repeat(LARGE)]),
      'x',
    ],
    () => [`GNU.sparse.${dice.pick(SPARSE)}`, dice.pick([...NUMBERS, ...MAPS])],
  ])();
}

function sparseRecords(dice: Dice): PaxPair[] {
  const pair = (key: string, value: string): PaxPair => [`GNU.sparse.${key}`, value];
  const number = () => dice.pick(NUMBERS);
  const format1 = [pair('major', dice.pick(['1', '0', '2', ''])), pair('minor', dice.pick(['0', '1', '9']))];
  return dice.pick([
    [pair('size', number()), pair('map', dice.pick(MAPS))],
    [...format1, pair('realsize', number()), pair('name', dice.pick(['named', '../named', '']))],
    [pair('size', '10000'), ...Array.from({ length: dice.below(5) }, () => pair('offset', number()))],
    [pair('size', `${2 ** 39}`), pair('map', `0,4,${2 ** 38},4`)],
  ]);
}

/** Bodies that are no records. */
function malformed(dice: Dice): Buffer {
  const record = tar.paxRecord('path', 'name');
  const cut = record.subarray(0, dice.below(record.length));
  const many = () =>
    Buffer.concat(Array.from({ length: 3000 }, (_, n) => tar.paxRecord(`comment.${n}`, 'x')));
  return dice.pick([
    () => cut,
    () => Buffer.concat([record, cut]),
    () => Buffer.from('9 a=b\n'),
    () => Buffer.from('999999999999 a=b\n'),
    () => Buffer.from('0 \n'),
    () => Buffer.from('5 =x\n'),
    () => Buffer.from('06 a=b\n'),
    () => Buffer.alloc(700, '1'),
    () => dice.bytes(40),
    many,
  ])();
}
