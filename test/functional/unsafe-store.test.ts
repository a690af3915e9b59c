import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { tinyImages } from '../support/images.ts';
import { useRkt } from '../support/rkt.ts';

// Stores that somebody else could have put something into, and records that cannot be read.

const rkt = useRkt();
const SOMEBODY = 64_201;

const cas = (...names: string[]) => join(rkt.dir, 'cas', ...names);
const modeOf = (path: string) => (statSync(path).mode & 0o7777).toString(8);

test("rkt's own store, which its group could write to at the top, is closed before it is used", async () => {
  for (const path of [rkt.dir, cas(), cas('tmp'), cas('blob')]) {
    mkdirSync(path, { recursive: true });
    chmodSync(path, 0o2770);
  }
  writeFileSync(cas('tmp/planted'), 'whatever');
  const { aci } = await tinyImages();
  expect(await rkt.run(['fetch', aci.plain])).toMatchObject({ code: 0 });
  expect([cas(), cas('blob'), cas('tmp')].map(modeOf)).toEqual(['2750', '2750', '2700']);
  expect(readdirSync(cas('tmp'))).toEqual([]);
});

test.each([
  ['layer', (path: string) => chmodSync(path, 0o770), /layer is open to others than root/],
  ['stage1', (path: string) => chmodSync(path, 0o707), /stage1 is open to others than root/],
  ['tmp', (path: string) => chownSync(path, SOMEBODY, 0), /tmp belongs to the user 64201, not to root/],
])(
  'a store whose directory %s was not only in the hands of root is not believed',
  async (name, open, why) => {
    open(cas(name));
    for (const args of [
      ['image', 'list'],
      ['image', 'gc'],
      ['run', '--net=none', 'sha512-ab'],
    ]) {
      const { code, stdout, stderr } = await rkt.run(args);
      expect({ args, code, stdout }).toEqual({ args, code: 254, stdout: '' });
      expect(stderr).toMatch(why);
      expect(stderr.trimEnd().split('\n')).toHaveLength(1);
    }
    chownSync(cas(name), 0, 0);
    chmodSync(cas(name), 0o700);
    expect(await rkt.run(['image', 'list'])).toMatchObject({ code: 0, stderr: '' });
  },
);

test('an image whose record cannot be read is removed by its id, with all that it had', async () => {
  const [name = ''] = readdirSync(cas('image'));
  writeFileSync(cas('image', name), '{"version":2,');
  const id = name.replace(/\.json$/, '');
  const listed = await rkt.run(['image', 'list', '--no-legend']);
  expect(listed.stderr).toMatch(/image record .* cannot be read/);
  expect((await rkt.run(['image', 'gc', '--grace-period=0s'])).code).toBe(254);
  expect(await rkt.run(['image', 'rm', id])).toMatchObject({
    code: 0,
    stdout: `successfully removed aci for image: "${id}"\n`,
  });
  expect([
    existsSync(cas('image', name)),
    readdirSync(cas('layer')),
    readdirSync(cas('blob/sha512')),
  ]).toEqual([false, [], []]);
});

/** What a member of the group may have made in the place of a file. */
const PLANTS: Readonly<Record<string, (path: string) => void>> = {
  'a directory': (path) => mkdirSync(join(path, 'a/b'), { recursive: true }),
  'a fifo': (path) => void execFileSync('mkfifo', [path]),
  'a link': (path) => symlinkSync(rkt.path('victim'), path),
};

test.each(Object.keys(PLANTS))('%s in the place of any file stops no command, and goes', async (what) => {
  writeFileSync(rkt.path('victim'), 'precious');
  const { aci } = await tinyImages();
  const { stdout } = await rkt.run(['fetch', '--full', aci.plain]);
  const [blob = ''] = readdirSync(cas('blob/sha512'));
  const hex = 'ab'.repeat(32);
  writeFileSync(cas('blob/sha256', hex), 'a blob that nobody uses');
  const record = cas('image', `sha256-${hex}.json`);
  for (const path of [
    record,
    cas('image', `${stdout.trim()}.json`),
    cas('blob/sha512', blob),
    cas('locks', stdout.trim()),
    cas('locks', `blob-${hex}`),
    cas('locks/x'),
    cas('partial/x'),
    cas('remote', hex),
    cas('blob/sha512', `${hex}${hex}`),
  ]) {
    rmSync(path, { recursive: true, force: true });
    PLANTS[what]?.(path);
  }
  expect((await rkt.run(['image', 'list'])).stderr.trimEnd().split('\n')).toHaveLength(2);
  expect(await rkt.run(['fetch', '--full', aci.plain])).toMatchObject({ code: 0, stdout });
  expect(await rkt.run(['image', 'rm', `sha256-${hex}`])).toMatchObject({ code: 0 });
  expect(await rkt.run(['image', 'gc', '--grace-period=0s'])).toMatchObject({ code: 0 });
  for (const directory of ['image', 'locks', 'partial', 'remote', 'blob/sha256', 'blob/sha512', 'layer'])
    expect({ directory, names: readdirSync(cas(directory)) }).toEqual({ directory, names: [] });
  expect(readFileSync(rkt.path('victim'), 'utf8')).toBe('precious');
});
