import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { useEngine } from '../../../src/native/engine.ts';
import { File, open_ } from '../../../src/native/files.ts';
import { readlink } from '../../../src/native/paths.ts';
import { openOrMakeInRoot, type PlaceKind } from '../../../src/native/place-in-root.ts';
import { koffiEngine } from '../../support/koffi-syscall.ts';

const base = mkdtempSync(join(tmpdir(), 'place-in-root-'));
let root = '';
let count = 0;
beforeAll(() => useEngine(koffiEngine));
beforeEach(() => {
  root = join(base, String(count++), 'root');
  mkdirSync(root, { recursive: true });
});
afterAll(() => rmSync(base, { recursive: true }));

/** Where that is, below the root. */
function place(path: string, kind: PlaceKind = 'directory'): string {
  using directory = File.open(root, open_.path | open_.directory);
  using found = openOrMakeInRoot(directory.fd, path, kind);
  const shown = readlink(`/proc/self/fd/${found.fd}`);
  expect(shown.startsWith(root)).toBe(true);
  return shown.slice(root.length);
}

describe('a place in a root', () => {
  it('is what is there, or is made, with all on the way', () => {
    mkdirSync(join(root, 'there'));
    expect(place('/there')).toBe('/there');
    expect(place('/there/a/b')).toBe('/there/a/b');
    expect(place('/a/file', 'file')).toBe('/a/file');
    expect([statSync(join(root, 'a/file')).isFile(), statSync(join(root, 'a')).isDirectory()]).toEqual([
      true,
      true,
    ]);
  });

  it('is asked about before anything is made in it, and where it is found', () => {
    mkdirSync(join(root, 'there'));
    symlinkSync('/there', join(root, 'link'));
    using directory = File.open(root, open_.path | open_.directory);
    const asked: string[] = [];
    const refuse = (fd: number) => {
      asked.push(readlink(`/proc/self/fd/${fd}`).slice(root.length));
      throw new Error('not there');
    };
    for (const path of ['/link/a/b', '/link'])
      for (const kind of ['file', 'directory'] as const)
        expect(() => openOrMakeInRoot(directory.fd, path, kind, refuse)).toThrow('not there');
    expect(asked).toEqual(['/there', '/there', '/there', '/there']);
    expect(existsSync(join(root, 'there/a'))).toBe(false);
  });

  it('is inside, wherever links lead', () => {
    symlinkSync('/inner', join(root, 'absolute'));
    symlinkSync('../../../../inner', join(root, 'up'));
    symlinkSync('absolute/deep', join(root, 'chain'));
    symlinkSync('/proc/self/root/tmp', join(root, 'magic'));
    expect(place('/absolute')).toBe('/inner');
    expect(place('/up/x')).toBe('/inner/x');
    expect(place('/chain')).toBe('/inner/deep');
    expect(place('/magic/y')).toBe('/proc/self/root/tmp/y');
    expect(place('/inner/../../../z')).toBe('/z');
    expect(readdirSync(join(root, '..'))).toEqual(['root']);
  });

  it('takes the place of a file where it is to be a directory, and of a link to one', () => {
    writeFileSync(join(root, 'file'), 'x');
    symlinkSync('file', join(root, 'link'));
    expect(place('/link')).toBe('/link');
    expect(lstatSync(join(root, 'link')).isDirectory()).toBe(true);
    expect(place('/file')).toBe('/file');
    expect(existsSync(join(root, 'file/x'))).toBe(false);
  });

  it('is none at the end of a circle', () => {
    symlinkSync('b', join(root, 'a'));
    symlinkSync('a', join(root, 'b'));
    expect(() => place('/a')).toThrow('ELOOP');
    symlinkSync('grow/x', join(root, 'grow'));
    expect(() => place('/grow')).toThrow('ELOOP');
  });

  it('is none below a file', () => {
    writeFileSync(join(root, 'file'), 'x');
    expect(() => place('/file/below')).toThrow('ENOTDIR');
  });
});
