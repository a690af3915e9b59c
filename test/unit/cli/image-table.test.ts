import { describe, expect, it, test } from 'vitest';
import { parseImageID } from '../../../src/appc/index.ts';
import { formatBytes } from '../../../src/cli/byte-size.ts';
import { formatOf } from '../../../src/cli/image-export.ts';
import { shortImageId } from '../../../src/cli/image-id.ts';
import {
  IMAGE_FIELDS,
  imageJson,
  imageTable,
  parseImageFields,
  sortImages,
} from '../../../src/cli/image-table.ts';
import { formatJson } from '../../../src/cli/json.ts';
import { printable } from '../../../src/cli/printable.ts';
import { absoluteTime } from '../../../src/cli/time.ts';

const now = Date.now();
const id = (digit: string, algorithm = 'sha512') => parseImageID(`${algorithm}-${digit.repeat(64)}`);
const web = {
  id: id('a'),
  name: 'example.com/web:1.0',
  importTime: now - 65_000,
  lastUsed: now - 10_000,
  size: 1_992_294,
};
const db = { id: id('b', 'sha256'), name: 'db', importTime: now - 130_000, lastUsed: now - 10_000, size: 44 };
const style = { fields: IMAGE_FIELDS, full: false, legend: true };

describe('a table of images', () => {
  it('is short for people', () => {
    expect(imageTable([web, db], style)).toBe(
      'ID\t\t\tNAME\t\t\tSIZE\tIMPORT TIME\tLAST USED\n' +
        'sha512-aaaaaaaaaaaa\texample.com/web:1.0\t1.9MiB\t1 minute ago\t10 seconds ago\n' +
        'sha256-bbbbbbbbbbbb\tdb\t\t\t44B\t2 minutes ago\t10 seconds ago\n',
    );
  });

  it('is whole when asked for', () => {
    const time = absoluteTime(BigInt(web.importTime) * 1_000_000n);
    const [row] = imageTable([web], { ...style, full: true, legend: false }).split('\n');
    expect(row?.split(/\t+/).slice(0, 4)).toEqual([web.id, web.name, '1992294', time]);
  });

  it('has the fields that are asked for, in that order', () => {
    const fields = parseImageFields('fields', 'Name,ID');
    expect(imageTable([db], { ...style, fields })).toBe('NAME\tID\ndb\tsha256-bbbbbbbbbbbb\n');
  });

  it('shows a name whose version would command the terminal, or make up a row', () => {
    const hostile = { ...db, name: 'db:\x1b[2J\u009b\nsha512-cccc\troot' };
    expect(imageTable([hostile], { ...style, fields: ['name'], legend: false })).toBe(
      'db:\\u001b[2J\\u009b sha512-cccc root\n',
    );
  });

  it('of no images is its header, or an empty line', () => {
    expect(imageTable([], style)).toBe('ID\tNAME\tSIZE\tIMPORT TIME\tLAST USED\n');
    expect(imageTable([], { ...style, legend: false })).toBe('\n');
  });

  it.each([
    ['id,frob', '--sort: unknown field "frob", expected id, name, size, importtime, lastused'],
    ['', '--sort: unknown field ""'],
    ['id,name,id', '--sort: field id given twice'],
  ])('has no fields %j', (text, message) => {
    expect(() => parseImageFields('sort', text)).toThrow(message);
  });
});

describe('images', () => {
  const names = (...args: Parameters<typeof sortImages>) => sortImages(...args).map(({ name }) => name);
  it('are sorted by each field, both ways', () => {
    expect(names([web, db], ['importtime'], 'asc')).toEqual(['db', web.name]);
    expect(names([web, db], ['importtime'], 'desc')).toEqual([web.name, 'db']);
    expect(names([web, db], ['size'], 'desc')).toEqual([web.name, 'db']);
    expect(names([web, db], ['name'], 'asc')).toEqual(['db', web.name]);
  });

  it('are sorted by the next field where one is equal, in the end by id', () => {
    expect(names([web, db], ['lastused', 'size'], 'asc')).toEqual(['db', web.name]);
    expect(names([web, db], ['lastused'], 'asc')).toEqual(['db', web.name]);
    expect(names([db, web], ['lastused'], 'desc')).toEqual([web.name, 'db']);
  });

  it('are JSON with whole ids, and times in nanoseconds', () => {
    const image = { ...db, importTime: 1_795_458_574_900.5, lastUsed: 1 };
    expect(formatJson(imageJson(image, IMAGE_FIELDS))).toBe(
      `{"id":"${db.id}","name":"db","import_time":1795458574900500000,"last_used_time":1000000,"size":44}`,
    );
    expect(formatJson(imageJson(image, ['size', 'id']))).toBe(`{"id":"${db.id}","size":44}`);
  });

  it('have short ids of two lengths', () => {
    expect(shortImageId(web.id, 12)).toBe('sha512-aaaaaaaaaaaa');
    expect(shortImageId(db.id, 32)).toBe(`sha256-${'b'.repeat(32)}`);
  });

  it('are exported as the extension says', () => {
    expect(formatOf('/x.tar/web.aci')).toBe('aci');
    expect(formatOf('web.oci.tar')).toBe('oci-archive');
    for (const path of ['web', 'web.tar.gz', '.aci', '/x.aci/web'])
      expect(() => formatOf(path)).toThrow(`${path}: expected the extension .aci or .tar`);
  });
});

test.each([
  [0, '0B'],
  [9, '9B'],
  [1023, '1023B'],
  [1024, '1.0KiB'],
  [1_992_294, '1.9MiB'],
  [10 * 1024 * 1024 - 1, '10MiB'],
  [46_137_344, '44MiB'],
  [619_708_416, '591MiB'],
  [5 * 1024 ** 4, '5.0TiB'],
])('%i bytes are %s', (bytes, text) => {
  expect(formatBytes(bytes)).toBe(text);
});

test.each([
  ['as it is: äöü €', 'as it is: äöü €'],
  ['two\nlines\r\n  and\ta blank', 'two lines and a blank'],
  ['\x1b[2Jgone\x07', '\\u001b[2Jgone\\u0007'],
  ['\x9b31m', '\\u009b31m'],
  ['abc\u202Edcba', 'abc\\u202edcba'],
])('%j can be printed as %s', (text, shown) => {
  expect(printable(text)).toBe(shown);
});
