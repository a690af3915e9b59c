import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { close } from '../../../src/native/files.ts';
import { accept, listenAt } from '../../../src/native/sockets.ts';
import {
  allocateSpareId,
  areSlotsTaken,
  connectToSpares,
  spareFailures,
  takeSlot,
} from '../../../stage1-kvm/spare-store.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

const scratch = nativeScratch();
let count = 0;

/** A kind of which nobody has made a spare. */
function newKind() {
  const directory = join(scratch, `data-${++count}/templates/tenant`);
  return { directory, key: 'key' };
}
const placesOf = ({ directory, key }: ReturnType<typeof newKind>) => join(directory, '.spares', key);

describe('a place for a spare', () => {
  it('is the first that nobody has, and somebody else’s once it is left', () => {
    const kind = newKind();
    expect(areSlotsTaken(kind, 2)).toBe(false);
    const [one, two] = [takeSlot(kind, 2), takeSlot(kind, 2)];
    expect(areSlotsTaken(kind, 2)).toBe(true);
    expect(areSlotsTaken(kind, 3)).toBe(false);
    expect(takeSlot(kind, 2)).toBeUndefined();
    expect([one?.place, two?.place]).toEqual(['0', '1'].map((name) => join(placesOf(kind), name)));
    one?.leave();
    one?.leave();
    expect(readdirSync(placesOf(kind))).toEqual(['1']);
    const again = takeSlot(kind, 2);
    expect(again?.place).toBe(one?.place);
    again?.leave();
    two?.leave();
    expect(readdirSync(placesOf(kind))).toEqual([]);
  });

  it('is empty for whoever takes it, whatever somebody has left who was killed', () => {
    const kind = newKind();
    const place = join(placesOf(kind), '0');
    mkdirSync(join(place, 'root/dev'), { recursive: true });
    for (const name of ['lock', 'id', 'scratch', 'root/dev/null']) writeFileSync(join(place, name), '1');
    const slot = takeSlot(kind, 1);
    expect(readdirSync(place)).toEqual(['lock']);
    slot?.leave();
  });

  it('is left alone where none could be made', () => {
    const kind = newKind();
    const slot = takeSlot(kind, 1);
    slot?.fail('it was not ready');
    slot?.leave();
    expect(spareFailures(kind)).toEqual(['it was not ready']);
    expect(areSlotsTaken(kind, 1)).toBe(true);
    expect(takeSlot(kind, 1)).toBeUndefined();
    expect(areSlotsTaken(kind, 2)).toBe(false);
  });

  it('has a uid that nobody else has', () => {
    const kind = newKind();
    const slots = [takeSlot(kind, 2), takeSlot(kind, 2)].filter((slot) => slot !== undefined);
    expect(slots.map((slot) => allocateSpareId(slot, kind.directory, '4000:10'))).toEqual([4008, 4007]);
    expect(readFileSync(join(slots[1]?.place ?? '', 'id'), 'utf8')).toBe('4007\n');
    for (const slot of slots) slot.leave();
  });
});

describe('spares that wait', () => {
  it('are found one after the other, and those that do not, not', () => {
    const kind = newKind();
    expect([...connectToSpares(kind)]).toEqual([]);
    const [ready, unready, dead] = ['0', '1', '2'].map((name) => join(placesOf(kind), name));
    for (const place of [ready, unready, dead]) mkdirSync(place ?? '', { recursive: true });
    writeFileSync(join(placesOf(kind), 'no-directory'), '');
    const listener = listenAt('seqpacket', { kind: 'path', path: join(ready ?? '', 'socket') });
    close(listenAt('seqpacket', { kind: 'path', path: join(dead ?? '', 'socket') }));
    const found = [...connectToSpares(kind)];
    expect(found.map(({ place }) => place)).toEqual([ready]);
    const taker = accept(listener);
    expect(taker).toBeDefined();
    for (const fd of [
      ...found.map(({ socket }) => socket),
      listener,
      ...(taker === undefined ? [] : [taker]),
    ])
      close(fd);
  });
});
