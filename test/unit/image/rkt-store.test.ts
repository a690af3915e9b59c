import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect, test } from 'vitest';
import { rktStoreImages } from '../../../src/image/rkt-store.ts';
import { aci } from '../../support/image-files.ts';
import { writeRktStore } from '../../support/rkt-store.ts';
import { useScratchTree } from '../../support/scratch-tree.ts';
import * as tar from '../../support/tar-archive.ts';

const { at, put } = useScratchTree();
const images = (count: number) =>
  Array.from({ length: count }, (_, n) => aci(tar.file(`rootfs/${n}`, `${n}`)));
const found = () => [...rktStoreImages(at('rkt'))];

test('every image of an rkt is found, under its id', () => {
  const ids = writeRktStore(at('rkt'), images(20));
  expect(
    found()
      .map(({ id }) => id)
      .sort(),
  ).toEqual(ids.sort());
  for (const { id, path } of found()) expect(path).toBe(at('rkt/cas/blob/sha512', id.slice(7, 9), id));
});

test('an rkt without images has none', () => {
  writeRktStore(at('rkt'), []);
  expect(found()).toEqual([]);
});

test('what is no image is passed over', () => {
  const [id = ''] = writeRktStore(at('rkt'), images(1));
  const shard = `rkt/cas/blob/sha512/${id.slice(7, 9)}`;
  const other = (hex: string) => `sha512-${hex.padEnd(64, '0')}`;
  put(`${shard}/.hidden`, '');
  put(`${shard}/${id}.tmp`, '');
  put(`${shard}/${id.slice(0, -1)}`, '');
  put(`${shard}/${id.toUpperCase()}`, '');
  put(`${shard}/${other('fe')}`, '');
  put(`rkt/cas/blob/sha512/zz/${other('cd')}`, '');
  put(`rkt/cas/blob/sha512/ab/${other('cd')}`, '');
  put(`rkt/cas/blob/sha512/${other('ef')}`, '');
  put('rkt/cas/blob/sha256/ab/sha256-ab', '');
  mkdirSync(at('rkt/cas/blob/sha512/ab', other('ab')));
  put('elsewhere', '');
  mkdirSync(at('rkt/cas/blob/sha512/12'), { recursive: true });
  symlinkSync(at('elsewhere'), at('rkt/cas/blob/sha512/12', other('12')));
  put(`planted/${other('34')}`, '');
  symlinkSync(at('planted'), at('rkt/cas/blob/sha512/34'));
  writeFileSync(at('rkt/cas/blob/sha512/56'), '');
  expect(found().map((image) => image.id)).toEqual([id]);
});

test.each(['rkt', 'rkt/cas/blob'])('a directory with no more than %s is no store of rkt', (path) => {
  mkdirSync(at(path), { recursive: true });
  expect(found).toThrow(
    expect.objectContaining({
      code: 'not-found',
      message: `no store of rkt in ${at('rkt')}: there is no directory ${at('rkt/cas/blob/sha512')}`,
    }),
  );
});

test('a file in place of the store is none either', () => {
  mkdirSync(dirname(at('rkt/cas')), { recursive: true });
  writeFileSync(at('rkt/cas'), '');
  expect(found).toThrow(expect.objectContaining({ code: 'not-found' }));
});
