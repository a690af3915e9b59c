import {
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
} from 'node:fs';
import { expect, test } from 'vitest';
import { copyLayers } from '../../../src/image/layer-copy.ts';
import { useScratchTree } from '../../support/scratch-tree.ts';

const { at, put } = useScratchTree();

test('an upper layer replaces what a lower one has, and writes through none of its links', async () => {
  put('outside', 'kept');
  put('low/dir/a', 'low');
  put('low/file', 'low');
  put('low/was-dir/x', 'low');
  symlinkSync(at('outside'), at('low/link'));
  symlinkSync(at(), at('low/dirlink'));
  put('top/dir/b', 'top');
  put('top/file', 'top');
  linkSync(at('top/file'), at('top/second'));
  put('top/was-dir', 'now a file');
  put('top/link', 'now a file');
  put('top/dirlink/c', 'now a directory');
  await copyLayers([at('low'), at('top')], at('out'));
  expect(readFileSync(at('out/dir/a'), 'utf8') + readFileSync(at('out/dir/b'), 'utf8')).toBe('lowtop');
  expect(readFileSync(at('out/file'), 'utf8')).toBe('top');
  expect(lstatSync(at('out/second')).ino).toBe(lstatSync(at('out/file')).ino);
  expect(readFileSync(at('out/was-dir'), 'utf8')).toBe('now a file');
  expect(readFileSync(at('outside'), 'utf8')).toBe('kept');
  expect(lstatSync(at('out/dirlink')).isDirectory()).toBe(true);
  expect(existsSync(at('c'))).toBe(false);
});

test('directories do not inherit the setgid bit of where they go', async () => {
  put('only/dir/file', '');
  chmodSync(at('only'), 0o711);
  mkdirSync(at('pod'));
  chmodSync(at('pod'), 0o2750);
  await copyLayers([at('only')], at('pod/rootfs'));
  const modes = ['pod/rootfs', 'pod/rootfs/dir'].map((path) =>
    (lstatSync(at(path)).mode & 0o7777).toString(8),
  );
  expect(modes).toEqual(['711', '755']);
});

test('links are copied as links', async () => {
  mkdirSync(at('only'));
  symlinkSync('nowhere', at('only/link'));
  await copyLayers([at('only')], at('out'));
  expect(readlinkSync(at('out/link'))).toBe('nowhere');
});
