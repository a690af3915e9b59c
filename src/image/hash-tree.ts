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
  /** Blocks of hashes of data: of a large file there are millions. */
  readonly #leaves: Buffer[] = [];
  #blocks = 0;

  constructor(salt: Uint8Array) {
    this.#salt = salt;
  }

  /** The next block, of `BLOCK_BYTES`. */
  add(block: Uint8Array): void {
    const place = this.#blocks % HASHES_A_BLOCK;
    if (place === 0) this.#leaves.push(Buffer.alloc(BLOCK_BYTES));
    this.#leaves.at(-1)?.set(this.#hash(block), place * HASH_BYTES);
    this.#blocks += 1;
  }

  /** What lies behind the data: the level below the root first. One block of data alone has nothing there, its own hash is the root's. */
  finish(): { readonly blocks: number; readonly tree: Buffer; readonly rootHash: string } {
    const [first] = this.#leaves;
    if (first === undefined) throw new RangeError('a tree of no blocks');
    if (this.#blocks === 1)
      return { blocks: 1, tree: Buffer.alloc(0), rootHash: first.toString('hex', 0, HASH_BYTES) };
    let top = Buffer.concat(this.#leaves);
    const levels = [top];
    while (top.length > BLOCK_BYTES) {
      top = this.#above(top);
      levels.unshift(top);
    }
    return {
      blocks: this.#blocks,
      tree: Buffer.concat(levels),
      rootHash: this.#hash(top).toString('hex'),
    };
  }

  #above(level: Buffer): Buffer<ArrayBuffer> {
    const hashes = blocksOf(level).map((block) => this.#hash(block));
    const above = Buffer.alloc(Math.ceil(hashes.length / HASHES_A_BLOCK) * BLOCK_BYTES);
    for (const [index, hash] of hashes.entries()) above.set(hash, index * HASH_BYTES);
    return above;
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
