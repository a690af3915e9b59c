import { createHash } from 'node:crypto';

/** Of data and of hashes alike. */
export const BLOCK_BYTES = 4096;
const HASH_BYTES = 32;
const HASHES_A_BLOCK = BLOCK_BYTES / HASH_BYTES;

/**
 * Hashes of a device's blocks, of blocks of these hashes and so on, as dm-verity reads them: version 1, SHA-256
 * (https://docs.kernel.org/admin-guide/device-mapper/verity.html). Whoever has the root's hash and the salt believes no other data.
 * veritysetup would do, but reads again what is being read for its digest, and would be one more package to install.
 */
export class HashTree {
  readonly #salt: Uint8Array;
  readonly #leaves: Buffer[] = [];

  constructor(salt: Uint8Array) {
    this.#salt = salt;
  }

  /** The next block, of `BLOCK_BYTES`. */
  add(block: Uint8Array): void {
    this.#leaves.push(this.#hash(block));
  }

  /** What lies behind the data: the level below the root first. One block of data alone has nothing there, its own hash is the root's. */
  finish(): { readonly blocks: number; readonly tree: Buffer; readonly rootHash: string } {
    const levels: Buffer[] = [];
    let hashes = this.#leaves;
    while (hashes.length > 1) {
      const level = Buffer.alloc(Math.ceil(hashes.length / HASHES_A_BLOCK) * BLOCK_BYTES);
      for (const [index, hash] of hashes.entries()) hash.copy(level, index * HASH_BYTES);
      levels.unshift(level);
      hashes = blocksOf(level).map((block) => this.#hash(block));
    }
    const [root] = hashes;
    if (root === undefined) throw new RangeError('a tree of no blocks');
    return { blocks: this.#leaves.length, tree: Buffer.concat(levels), rootHash: root.toString('hex') };
  }

  #hash(block: Uint8Array): Buffer {
    return createHash('sha256').update(this.#salt).update(block).digest();
  }
}

/** Views of whole blocks. */
export function blocksOf(bytes: Buffer): Buffer[] {
  return Array.from({ length: bytes.length / BLOCK_BYTES }, (_, index) =>
    bytes.subarray(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES),
  );
}
