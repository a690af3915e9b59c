import * as tar from '../tar-archive.ts';
import type { Dice } from './dice.ts';
import { oddExtendedHeader } from './extended-mutation.ts';
import { flipBits, mutateHeader } from './header-mutation.ts';
import { hostileName, hostileTarget, type Surroundings } from './hostile-names.ts';
import type { TarItem } from './tar-seeds.ts';

const BLOCK = 512;
const MOST_BYTES = 4 * 1024 * 1024;
const ROOT = { uid: 0, gid: 0 };

/** What archives are mutated among: what is around the store, and another archive to take entries of. */
export interface TarContext extends Surroundings {
  /** `rootfs/` in an ACI, nothing in a layer. */
  readonly prefix: string;
  readonly other: readonly TarItem[];
}

type Mutation = (items: TarItem[], dice: Dice, context: TarContext) => void;

/** Each changes one archive, as a list of its entries, in one way. */
const ENTRY_MUTATIONS: readonly Mutation[] = [
  (items, dice) => replace(items, dice, (item) => mutateHeader(item, dice)),
  (items, dice) => replace(items, dice, (item) => mutateHeader(item, dice)),
  rename,
  rename,
  insertExtended,
  insertExtended,
  plantLink,
  plantLink,
  (items, dice) => replace(items, dice, (item) => damageContent(item, dice)),
  (items, dice, { other }) => items.splice(place(items, dice), 0, ...other),
  (items, dice) => items.splice(place(items, dice), 0, dice.pick(items)),
  (items, dice) => items.splice(place(items, dice), 1),
  (items, dice) => items.splice(place(items, dice), 0, ...items.splice(place(items, dice), 2)),
  (items, dice) => items.splice(place(items, dice), 0, ...many(items, dice)),
  (items, dice) => items.splice(place(items, dice), 0, Buffer.alloc(BLOCK * (1 + dice.below(3)))),
];

/** The archive of these entries, with a few things wrong with it. */
export function mutateTar(items: readonly TarItem[], dice: Dice, context: TarContext): Buffer {
  const mutated = [...items];
  for (let count = 1 + dice.below(3); count > 0 && mutated.length > 0; count--)
    dice.pick(ENTRY_MUTATIONS)(mutated, dice, context);
  const archive = tar.archive(...mutated);
  return dice.chance(0.15) ? mutateWhole(archive, dice) : archive;
}

function mutateWhole(archive: Buffer, dice: Dice): Buffer {
  return dice.pick([
    () => archive.subarray(0, dice.below(archive.length)),
    () => archive.subarray(0, BLOCK * dice.below(archive.length / BLOCK)),
    () => archive.subarray(0, -2 * BLOCK),
    () => archive.subarray(0, -BLOCK),
    () => Buffer.concat([archive, archive]),
    () => Buffer.concat([archive, dice.bytes(1 + dice.below(600))]),
    () => Buffer.concat([archive, Buffer.alloc(BLOCK * 40)]),
    () => {
      const copy = Buffer.from(archive);
      flipBits(copy, dice);
      return copy;
    },
  ])();
}

/** Not more than an archive may reasonably have: the memory that counts is that of its reader, not of its maker. */
function many(items: readonly TarItem[], dice: Dice): TarItem[] {
  const picked: TarItem[] = [];
  for (let bytes = 0; picked.length < 200 && bytes < MOST_BYTES; bytes += picked.at(-1)?.length ?? 0)
    picked.push(dice.pick(items));
  return picked;
}

function place(items: readonly TarItem[], dice: Dice): number {
  return dice.below(items.length + 1);
}

function replace(items: TarItem[], dice: Dice, change: (item: TarItem) => TarItem): void {
  const at = dice.below(items.length);
  const item = items[at];
  if (item !== undefined) items[at] = change(item);
}

function damageContent(item: TarItem, dice: Dice): TarItem {
  const body = Buffer.from(item.subarray(BLOCK));
  flipBits(body, dice);
  return Buffer.concat([item.subarray(0, BLOCK), body]);
}

/** The names in the headers of an archive's entries. */
export function namesOf(items: readonly TarItem[]): string[] {
  return items
    .map((item) => item.toString('latin1', 0, 100).split('\0')[0] ?? '')
    .filter((name) => name !== '');
}

function rename(items: TarItem[], dice: Dice, context: TarContext): void {
  const name = hostileName(dice, namesOf(items), context);
  const prefixed = dice.chance(0.5) ? Buffer.concat([Buffer.from(context.prefix), name]) : name;
  const at = dice.below(items.length);
  const item = items[at];
  if (item === undefined) return;
  if (prefixed.length > 100 || dice.chance(0.2)) {
    const magic = { magic: 'ustar  \0' };
    items[at] = Buffer.concat([
      dice.chance(0.5)
        ? tar.pax([['path', prefixed]])
        : tar.entry(
            { name: '././@LongLink', type: 'L', ...magic },
            Buffer.concat([prefixed, Buffer.alloc(1)]),
          ),
      item,
    ]);
    return;
  }
  const header = Buffer.from(item.subarray(0, BLOCK)).fill(0, 0, 100);
  prefixed.copy(header);
  items[at] = Buffer.concat([tar.withChecksum(header), item.subarray(BLOCK)]);
}

function insertExtended(items: TarItem[], dice: Dice, context: TarContext): void {
  items.splice(place(items, dice), 0, oddExtendedHeader(dice, namesOf(items), context));
}

/** A link, and something that would go where it leads. */
function plantLink(items: TarItem[], dice: Dice, context: TarContext): void {
  const { prefix, token } = context;
  const link = dice.pick(['planted', 'etc', 'usr/lib', 'out', 'a/b']);
  const target = hostileTarget(dice, namesOf(items), context).slice(0, 100);
  const through = `${prefix}${link}/${dice.pick(['secret', token, '../secret', `directory/${token}`])}`;
  const kind = dice.pick(['1', '2', '2']);
  const users: readonly TarItem[] = [
    tar.file(through, 'changed', ROOT),
    tar.directory(`${through}/`, ROOT),
    tar.directory(`${prefix}${link}/`, { ...ROOT, mode: 0o777 }),
    tar.hardlink(`${prefix}linked`, through),
    tar.symlink(through, 'x'),
    tar.entry({ ...ROOT, name: through, type: '3', major: 1, minor: 5 }),
    tar.file(`${prefix}${link}/.wh.secret`, '', ROOT),
    tar.file(`${prefix}${link}/.wh..wh..opq`, '', ROOT),
    tar.file(`${prefix}${link}`, 'in its place', ROOT),
  ];
  const planted = tar.entry({ ...ROOT, name: `${prefix}${link}`, type: kind, link: target, mode: 0o777 });
  items.splice(place(items, dice), 0, planted, dice.pick(users), dice.pick(users));
}
