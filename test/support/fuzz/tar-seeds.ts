import * as tar from '../tar-archive.ts';
import type { Dice } from './dice.ts';

/** An entry as it stands in an archive: its header, and all blocks that belong to it. */
export type TarItem = Buffer;

const CAPABILITY = Buffer.from('0100000200200000000000000000000000000000', 'hex');
const ROOT = { uid: 0, gid: 0 };
/** Sixteen zero bytes of number fields that nobody has filled. */
const HOLE = 4096;

/** What the layer below has, for one above to remove, replace, link to and lead through. */
export function lowerItems(outside: string): TarItem[] {
  return [
    tar.directory('./', ROOT),
    tar.directory('usr/', ROOT),
    tar.directory('usr/lib/', { ...ROOT, mode: 0o711 }),
    tar.file('usr/lib/a', 'a', ROOT),
    tar.symlink('lib', 'usr/lib'),
    tar.directory('etc/', ROOT),
    tar.file('etc/passwd', 'root:x:0:0::/:/bin/sh\n', ROOT),
    tar.directory('opt/', { ...ROOT, mode: 0o700 }),
    tar.file('opt/gone', 'gone', ROOT),
    tar.symlink('out', outside),
    tar.symlink('up', '../../../..'),
    tar.entry({ ...ROOT, name: 'pipe', type: '6' }),
  ];
}

/** Valid entries of every kind, as many as the dice say. Names begin with `prefix`; `layer`: whiteouts and what lies below count. */
export function seedItems(dice: Dice, prefix: string, layer: boolean): TarItem[] {
  const kinds = [...makers(prefix), ...(layer ? layerMakers() : [])];
  const chosen = Array.from({ length: 3 + dice.below(10) }, () => dice.pick(kinds)());
  return [tar.directory(`${prefix}etc/`, ROOT), tar.file(`${prefix}etc/first`, 'first', ROOT), ...chosen].map(
    (items) => (Array.isArray(items) ? Buffer.concat(items) : items),
  );
}

type Maker = () => TarItem | TarItem[];

function makers(prefix: string): Maker[] {
  let count = 0;
  // No two entries may have one name in an ACI.
  const name = (stem: string) => `${prefix}${stem}${count++}`;
  const file = (content: string | Buffer = 'content', more: tar.TestHeader = {}) =>
    tar.file(name('file'), content, { ...ROOT, ...more });
  return [
    () => file(),
    () => file(Buffer.alloc(3000, 'x')),
    () => file('', { mode: 0o4755 }),
    () => tar.directory(`${name('directory')}/`, { ...ROOT, mode: 0o1777 }),
    () => tar.file(`${name('implied')}/deep/file`, 'x', ROOT),
    () => tar.symlink(name('link'), 'etc/first'),
    () => tar.hardlink(name('hard'), `${prefix}etc/first`),
    () => tar.entry({ ...ROOT, name: name('pipe'), type: '6' }),
    () => tar.entry({ ...ROOT, name: name('null'), type: '3', major: 1, minor: 3 }),
    () => tar.entry({ ...ROOT, name: name('disk'), type: '4', major: 8, minor: 1 }),
    () => tar.entry({ ...ROOT, name: name('v7'), magic: '', type: '\0' }, 'old'),
    () => file('x', { mtime: Buffer.from('ffffffffffffffffffffff00', 'hex') }),
    () => [tar.pax([['path', name('long').padEnd(180, 'n')]]), file()],
    () => [
      tar.pax([
        ['mtime', '1600000000.123456789'],
        ['uid', '70000'],
      ]),
      file(),
    ],
    () => [
      tar.pax([
        ['SCHILY.xattr.user.mark', 'value'],
        ['SCHILY.xattr.security.capability', CAPABILITY],
      ]),
      file(),
    ],
    () => [tar.gnuLong('L', name('gnu').padEnd(150, 'g')), file()],
    () => [tar.gnuLong('K', 't'.repeat(150)), tar.symlink(name('far'), 't')],
    () => tar.pax([['comment', 'of all that follow']], 'g'),
    ...sparseMakers(file),
  ];
}

/** One file of two regions with a hole between, in all formats that GNU tar writes. */
function sparseMakers(file: (content: string | Buffer, more?: tar.TestHeader) => TarItem): Maker[] {
  const [size, content] = [`${HOLE + 4}`, 'headtail'];
  const name = (key: string) => `GNU.sparse.${key}`;
  const map = Buffer.alloc(512);
  map.write(`2\n0\n4\n${HOLE}\n4\n`);
  const octal = (value: number) => `${value.toString(8).padStart(11, '0')}\0`;
  const patch = (block: Buffer) => {
    for (const [at, value] of [0, 4, HOLE, 4].entries()) block.write(octal(value), 386 + 12 * at);
    block.write(octal(HOLE + 4), 483);
  };
  return [
    () => [
      tar.pax([
        [name('size'), size],
        [name('map'), `0,4,${HOLE},4`],
      ]),
      file(content),
    ],
    () => [
      tar.pax([
        ...[[name('size'), size] as const, [name('offset'), '0'] as const, [name('numbytes'), '4'] as const],
        ...[[name('offset'), `${HOLE}`] as const, [name('numbytes'), '4'] as const],
      ]),
      file(content),
    ],
    () => [
      tar.pax([
        [name('major'), '1'],
        [name('minor'), '0'],
        [name('realsize'), size],
      ]),
      file(Buffer.concat([map, Buffer.from(content)])),
    ],
    () => file(content, { type: 'S', magic: 'ustar  \0', patch }),
  ];
}

function layerMakers(): Maker[] {
  return [
    () => tar.file('opt/.wh.gone', '', ROOT),
    () => tar.file('usr/lib/.wh..wh..opq', '', ROOT),
    () => tar.file('.wh.lib', '', ROOT),
    () => tar.file('lib/through-a-link', 'x', ROOT),
    () => tar.hardlink('etc/of-below', 'usr/lib/a'),
    () => tar.file('usr/lib/a', 'replaced', ROOT),
    () => tar.directory('pipe/', ROOT),
    () => tar.directory('./', ROOT),
  ];
}
