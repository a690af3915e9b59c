import { execFileSync } from 'node:child_process';
import { existsSync, linkSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { entries, readdir } from '../../../src/native/directories.ts';
import { File, open_ } from '../../../src/native/files.ts';
import {
  access,
  chmod,
  encodeDevice,
  mkdir,
  mkdirAll,
  mknod,
  readlink,
  rename,
  rmdir,
  symlink,
  unlink,
} from '../../../src/native/paths.ts';
import { exists, fstat, lstat, stat, statIfPresent } from '../../../src/native/stat.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

const scratch = nativeScratch();
const at = (name: string) => join(scratch, name);

describe('stat', () => {
  it('agrees with Node', () => {
    writeFileSync(at('file'), 'twelve bytes');
    linkSync(at('file'), at('other'));
    const ours = stat(at('file'));
    const theirs = statSync(at('file'));
    expect(ours).toMatchObject({
      kind: 'file',
      permissions: theirs.mode & 0o7777,
      links: 2,
      uid: theirs.uid,
      gid: theirs.gid,
      size: 12,
      blocks: theirs.blocks,
      inode: theirs.ino,
    });
    expect(ours.modified.seconds).toBe(Math.floor(theirs.mtimeMs / 1000));
    expect(encodeDevice(ours.device)).toBe(theirs.dev);
  });

  it('knows kinds, links and device numbers', () => {
    symlinkSync('file', at('link'));
    expect(lstat(at('link')).kind).toBe('symlink');
    expect(stat(at('link')).kind).toBe('file');
    expect(stat('/dev/null')).toMatchObject({ kind: 'char', represents: { major: 1, minor: 3 } });
    using file = File.open(scratch, open_.path);
    expect(fstat(file.fd).kind).toBe('directory');
  });

  it('tells absence from refusal', () => {
    expect(statIfPresent(at('absent'))).toBeUndefined();
    expect(exists(at('file/below'))).toBe(false);
    symlinkSync('loop', at('loop'));
    expect(exists(at('loop'))).toBe(true);
    expect(() => statIfPresent(at('loop'))).toThrow('ELOOP');
  });
});

describe('names', () => {
  it('are made, renamed and removed', () => {
    mkdir(at('dir'), 0o700);
    mknod(at('dir/fifo'), 'fifo', 0o600, { major: 0, minor: 0 });
    symlink('fifo', at('dir/link'));
    expect(readlink(at('dir/link'))).toBe('fifo');
    linkSync(at('dir/fifo'), at('dir/hard'));
    expect(stat(at('dir/hard'))).toMatchObject({ kind: 'fifo', links: 2 });
    expect(() => rename(at('dir/hard'), at('dir/link'), 'no-replace')).toThrow(
      `EEXIST: file exists, rename '${at('dir/hard')}' -> '${at('dir/link')}'`,
    );
    rename(at('dir/hard'), at('dir/moved'));
    for (const name of ['fifo', 'link', 'moved']) unlink(at(`dir/${name}`));
    rmdir(at('dir'));
    expect(existsSync(at('dir'))).toBe(false);
  });

  it('are made with all their parents', () => {
    mkdirAll(at('a/b//c/'));
    mkdirAll(at('a/b/c'));
    expect(existsSync(at('a/b/c'))).toBe(true);
    writeFileSync(at('a/file'), '');
    expect(() => mkdirAll(at('a/file'))).toThrow('EEXIST');
    expect(() => mkdirAll(at('a/file/x'))).toThrow('ENOTDIR');
  });

  it('change modes', () => {
    writeFileSync(at('mode'), '');
    chmod(at('mode'), 0o4711);
    expect(stat(at('mode'))).toMatchObject({ permissions: 0o4711 });
    expect(access(at('mode'), 'exist')).toBe(true);
    expect(access(at('absent'), 'exist')).toBe(false);
  });

  it('encode large device numbers as the kernel does', () => {
    expect(encodeDevice({ major: 8, minor: 1 })).toBe(0x801);
    expect(encodeDevice({ major: 259, minor: 300 })).toBe(0x11032c);
  });
});

describe('directories', () => {
  it('list more entries than one buffer holds', () => {
    mkdirSync(at('many'));
    for (let n = 0; n < 2000; n++) writeFileSync(at(`many/a-file-with-a-rather-long-name-${n}`), '');
    expect(readdir(at('many')).sort()).toEqual(readdirSync(at('many')).sort());
  });

  it('give the kind of a name', () => {
    mkdirSync(at('kinds/sub'), { recursive: true });
    execFileSync(
      'touch',
      [Buffer.from([...Buffer.from(at('kinds/odd')), 0xff]).toString('latin1')].map(String),
    );
    symlinkSync('x', at('kinds/link'));
    const found = new Map(entries(at('kinds')).map((entry) => [entry.name, entry.kind]));
    expect(found.get('sub')).toBe('directory');
    expect(found.get('link')).toBe('symlink');
  });
});
