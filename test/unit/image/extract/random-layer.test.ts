import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ImageError } from '../../../../src/image/error.ts';
import { unpack } from '../../../../src/image/layer.ts';
import { OCI_RULES } from '../../../../src/image/layers.ts';
import { randomFrom, testSeed } from '../../../support/random.ts';
import * as tar from '../../../support/tar-archive.ts';
import { treeListing } from '../../../support/tree-listing.ts';

// Whatever entries come in whatever order: outside of the target nothing changes, and every refusal is one that was meant.

const ROUNDS = 150;
let base = '';
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'rkt-random-'));
  for (const name of ['outside', 'lower']) mkdirSync(join(base, name, 'a/b'), { recursive: true });
  writeFileSync(join(base, 'outside/secret'), 'secret');
  writeFileSync(join(base, 'lower/a/c'), 'lower');
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

test('random layers stay in their place', async () => {
  const seed = testSeed();
  const fraction = randomFrom(seed);
  const random = (below: number) => Math.floor(fraction() * below);
  const before = ['outside', 'lower'].map((name) => treeListing(join(base, name)));
  const openBefore = readdirSync('/proc/self/fd').length;
  let whole = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const rootfs = join(base, 'rootfs');
    mkdirSync(rootfs);
    const entries = Array.from({ length: 1 + random(12) }, () => randomEntry(random, join(base, 'outside')));
    const stream = tar.chunks(tar.archive(tar.directory('./'), ...entries), 1 + random(2000));
    const plan = {
      stream,
      algorithm: 'sha256',
      rootfs,
      rules: OCI_RULES,
      endMarker: 'required',
      limits: {},
      impliedOwner: tar.OWN,
    } as const;
    try {
      await unpack({ ...plan, lower: [join(base, 'lower')], signal: undefined });
      whole += 1;
    } catch (error) {
      expect(error, `seed ${seed}, round ${round}: ${error}`).toBeInstanceOf(ImageError);
    }
    rmSync(rootfs, { recursive: true });
  }
  expect(
    ['outside', 'lower'].map((name) => treeListing(join(base, name))),
    `seed ${seed}`,
  ).toEqual(before);
  expect(readdirSync(base).sort()).toEqual(['lower', 'outside']);
  expect(readdirSync('/proc/self/fd').length).toBeLessThanOrEqual(openBefore + 2);
  expect(whole, `seed ${seed}`).toBeGreaterThan(ROUNDS / 20);
});

function randomEntry(random: (below: number) => number, outside: string): Buffer {
  const path = randomPath(random);
  const target =
    [outside, '../outside', '../../outside/secret', '/', '..', '.', '/a', randomPath(random)][random(8)] ??
    '';
  const makers = [
    () => tar.file(path, 'content'),
    () => tar.file(path, 'content'),
    () => tar.directory(path),
    () => tar.directory(path),
    () => tar.symlink(path, target),
    () => tar.hardlink(path, random(4) === 0 ? target : randomPath(random)),
    () => tar.file(path.replace(/[^/]*$/, (name) => `.wh.${name}`)),
    () => tar.file(path.replace(/[^/]*$/, '.wh..wh..opq')),
    () => tar.entry({ name: path, type: '6' }),
  ];
  return (makers[random(makers.length)] ?? (() => tar.file(path)))();
}

function randomPath(random: (below: number) => number): string {
  const names = ['a', 'b', 'c', 'a', 'b', 'c', 'secret', random(12) === 0 ? '..' : 'a'];
  return Array.from({ length: 1 + random(4) }, () => names[random(names.length)]).join('/');
}
