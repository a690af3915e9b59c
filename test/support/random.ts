/** Random numbers from 0 up to 1 that a printed seed brings back (mulberry32). */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The seed of this run: the given one, or a new one. */
export function testSeed(): number {
  const { RKT_TEST_SEED: given } = process.env;
  return given === undefined ? Date.now() % 1_000_000 : Number(given);
}
