const POOL = 8 * 1024 * 1024;
const WORDS = 1500;
const INSTRUCTIONS = 1000;
const RECENT = 16 * 1024;
const REPEATED = 160;

/** What files of a system hold, by how well it compresses: text to a quarter, programs to four tenths, archives not at all. */
export type ContentKind = 'text' | 'program' | 'archive';

/** Content cut out of generated pools, the same for the same numbers. */
export class ContentPools {
  readonly #random: () => number;
  readonly #pools: Readonly<Record<ContentKind, Buffer>>;

  constructor(random: () => number) {
    this.#random = random;
    this.#pools = { text: textPool(random), program: programPool(random), archive: archivePool(random) };
  }

  /** At most as long as a pool. */
  cut(kind: ContentKind, length: number): Buffer {
    const pool = this.#pools[kind];
    const start = Math.floor(this.#random() * (pool.length - length));
    return pool.subarray(start, start + length);
  }
}

/** Words as often as in a language: the second half as often as the first, and so on. */
function textPool(random: () => number): Buffer {
  const letters = 'etaoinshrdlucmfwypvbgkjqxz';
  const letter = () => letters[Math.floor(letters.length * random() ** 2)] ?? 'e';
  const words = Array.from({ length: WORDS }, () =>
    Array.from({ length: 2 + Math.floor(random() * 9) }, letter).join(''),
  );
  return filled((rank) => {
    const end = random() < 0.12 ? '\n' : ' ';
    return Buffer.from(`${words[rank(WORDS)] ?? ''}${end}`);
  }, random);
}

/** Instructions of one to seven bytes, of which few are frequent; every sixth has an operand of its own. */
function programPool(random: () => number): Buffer {
  const instructions = Array.from({ length: INSTRUCTIONS }, () =>
    Buffer.from(Array.from({ length: 1 + Math.floor(random() * 7) }, () => Math.floor(random() * 256))),
  );
  return filled((rank) => {
    const code = instructions[rank(INSTRUCTIONS)] ?? Buffer.alloc(1);
    if (random() > 0.17) return code;
    return Buffer.concat([code, Buffer.from([Math.floor(random() * 256), Math.floor(random() * 256), 0, 0])]);
  }, random);
}

function archivePool(random: () => number): Buffer {
  const pool = Buffer.alloc(POOL);
  for (let at = 0; at < POOL; at += 4) pool.writeUInt32LE(Math.floor(random() * 2 ** 32), at);
  return pool;
}

/** What `next` gives, and now and then something again that was there a moment ago. */
function filled(next: (rank: (below: number) => number) => Buffer, random: () => number): Buffer {
  const pool = Buffer.alloc(POOL);
  const rank = (below: number) => Math.floor(below ** random()) - 1;
  for (let at = 0; at < POOL; ) {
    const back = Math.floor(random() * RECENT);
    if (random() > 0.02 || back > at) at += next(rank).copy(pool, at);
    else at += pool.copy(pool, at, at - back, at - back + Math.min(back, REPEATED * random()));
  }
  return pool;
}
