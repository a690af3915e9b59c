import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { parseVolumeName, Volumes } from '../../../src/volume/index.ts';
import { parseVolumeRecord } from '../../../src/volume/record.ts';

const owner = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
const db = parseVolumeName('db');
let directory = '';
let volumes: Volumes;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rkt-volumes-'));
  volumes = new Volumes(directory);
});
afterEach(() => rmSync(directory, { recursive: true }));

const create = (labels: Record<string, string> = {}) =>
  volumes.create({ name: db, created: 1234, labels }, { mode: 0o1770, ...owner });
const entries = () => readdirSync(join(directory, 'volumes'));

test('a volume is a record, and a directory that nobody but root gets to', () => {
  expect(volumes.names()).toEqual([]);
  expect(volumes.get(db)).toBeUndefined();
  create({ __proto__x: '1', tier: 'gold' });
  expect(volumes.names()).toEqual(['db']);
  expect(volumes.get(db)).toEqual({ name: 'db', created: 1234, labels: { __proto__x: '1', tier: 'gold' } });
  expect(statSync(volumes.path(db)).mode & 0o7777).toBe(0o1770);
  expect(statSync(join(volumes.path(db), '..')).mode & 0o777).toBe(0o700);
  expect(entries()).toEqual(['db']);
});

test('one of the same name is refused, and stays as it is', () => {
  create();
  writeFileSync(join(volumes.path(db), 'file'), 'kept');
  expect(() => create()).toThrow('volume "db" is there already');
  expect(readdirSync(volumes.path(db))).toEqual(['file']);
  expect(entries()).toEqual(['db']);
});

test('what is removed is no volume from the first moment, and gone in the end', () => {
  create();
  writeFileSync(join(volumes.path(db), 'file'), '');
  const discard = volumes.detach(db);
  expect(volumes.names()).toEqual([]);
  // Another of that name may be made meanwhile.
  create();
  // Its owner is at it.
  volumes.sweep();
  expect(entries()).toHaveLength(2);
  discard();
  expect(entries()).toEqual(['db']);
  expect(() => volumes.detach(parseVolumeName('other'))).toThrow('no volume "other"');
});

test('a crash leaves nothing that looks like a volume, and what it leaves is swept', () => {
  create();
  for (const name of ['.new-00', '.old-00']) {
    mkdirSync(join(directory, 'volumes', name, 'private/data/deep'), { recursive: true });
    writeFileSync(join(directory, 'volumes', name, 'private/data/deep/file'), '');
  }
  expect(volumes.names()).toEqual(['db']);
  volumes.sweep();
  expect(entries()).toEqual(['db']);
  expect(existsSync(volumes.path(db))).toBe(true);
});

test.each(['', '.', '..', '.new-00', 'a/b', 'UPPER', 'a--b', '-a', 'a\0', 'x'.repeat(256)])(
  '%j is no name',
  (text) => {
    expect(() => parseVolumeName(text)).toThrow('is no name of a volume');
  },
);

test.each([
  ['nothing', ''],
  ['another version', '{"version":2,"created":1,"labels":[]}'],
  ['no time', '{"version":1,"labels":[]}'],
  ['labels that are none', '{"version":1,"created":1,"labels":[{"key":1,"value":""}]}'],
])('a record with %s is refused by the name of its volume', (_, text) => {
  expect(() => parseVolumeRecord(db, text)).toThrow('volume "db": its record cannot be read');
});
