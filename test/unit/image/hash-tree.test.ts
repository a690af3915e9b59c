import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { diskDigest } from '../../../src/image/disk-image.ts';
import { sealDisk } from '../../../src/image/disk-seal.ts';
import { BLOCK_BYTES, HashTree } from '../../../src/image/hash-tree.ts';

const block = (index: number) => Buffer.alloc(BLOCK_BYTES, index & 0xff);

function treeOf(blocks: number) {
  const hashes = new HashTree(Buffer.alloc(32, 0xaa));
  for (let index = 0; index < blocks; index++) hashes.add(block(index));
  return hashes.finish();
}

describe('a tree of hashes', () => {
  // Roots from another program that reads the same description.
  it.each([
    [1, 0, '5424c52bf2f63d48e12f293c24d4c41685d823eb0f2cab82bf045ea7ee678841'],
    [128, 1, 'da5fe15e73cb03da190afa10c302902d0b872e8f0f330e1d297f4ccc0d4d55e2'],
    [130, 3, 'e65cc4d30c50aab579814aedca6b21608ae00464bff94b4626c3a77c5baeb56d'],
  ])('of %i blocks has %i of hashes', (blocks, ofHashes, rootHash) => {
    const found = treeOf(blocks);
    expect({ ...found, tree: found.tree.length / BLOCK_BYTES }).toEqual({ blocks, tree: ofHashes, rootHash });
  });

  it('begins below its root: the first block there holds the hashes of those behind it', () => {
    const { tree } = treeOf(130);
    expect(tree.subarray(0, 64).every((byte) => byte === 0)).toBe(false);
    expect(tree.subarray(64, BLOCK_BYTES).every((byte) => byte === 0)).toBe(true);
  });
});

describe('sealDisk', () => {
  it('puts the tree behind whole blocks of data, another one each time, and gives the digest of both', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'rkt-seal-'));
    try {
      const path = join(directory, 'image');
      const data = Buffer.alloc(3 * 1024 * 1024 + 5, 'data');
      const seals = [];
      for (const _ of [1, 2]) {
        writeFileSync(path, data);
        const { digest, seal } = await sealDisk(path, undefined);
        expect(digest).toBe(await diskDigest(path, undefined));
        expect(seal.blocks).toBe(769);
        expect(readFileSync(path).length).toBe((769 + 7 + 1) * BLOCK_BYTES);
        expect(readFileSync(path).subarray(0, data.length).equals(data)).toBe(true);
        seals.push(seal);
      }
      expect(seals[0]?.salt).not.toBe(seals[1]?.salt);
      expect(seals[0]?.rootHash).not.toBe(seals[1]?.rootHash);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });
});
