/** SHA-512 (FIPS 180-4) of a short text, for names that others have made by it. */

const WORD = (1n << 64n) - 1n;
const BLOCK_BYTES = 128;

/** In hexadecimal. */
export function sha512(bytes: Uint8Array): string {
  // Not once for all: programs that have it seldom need it, and are to start fast.
  const primes = firstPrimes(80);
  const constants = primes.map((prime) => fraction(prime, 3));
  let state = primes.slice(0, 8).map((prime) => fraction(prime, 2));
  const padded = pad(bytes);
  for (let at = 0; at < padded.length; at += BLOCK_BYTES)
    state = compress(state, padded.subarray(at, at + BLOCK_BYTES), constants);
  return state.map(hexadecimal).join('');
}

/** QuickJS writes a zero before a number whose highest bit is set. */
function hexadecimal(word: bigint): string {
  return word.toString(16).padStart(16, '0').slice(-16);
}

/** A bit, zeros, and the number of bits at the end of the last block. */
function pad(bytes: Uint8Array): Uint8Array {
  const padded = new Uint8Array(Math.ceil((bytes.length + 17) / BLOCK_BYTES) * BLOCK_BYTES);
  padded.set(bytes);
  padded[bytes.length] = 0x80;
  new DataView(padded.buffer).setUint32(padded.length - 4, bytes.length * 8);
  return padded;
}

function compress(state: readonly bigint[], block: Uint8Array, constants: readonly bigint[]): bigint[] {
  let [a = 0n, b = 0n, c = 0n, d = 0n, e = 0n, f = 0n, g = 0n, h = 0n] = state;
  schedule(block, constants.length).forEach((word, round) => {
    const sum1 = rotate(e, 14n) ^ rotate(e, 18n) ^ rotate(e, 41n);
    const first = h + sum1 + ((e & f) ^ (~e & g)) + (constants[round] ?? 0n) + word;
    const sum0 = rotate(a, 28n) ^ rotate(a, 34n) ^ rotate(a, 39n);
    const second = sum0 + ((a & b) ^ (a & c) ^ (b & c));
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) & WORD, c, b, a, (first + second) & WORD];
  });
  return [a, b, c, d, e, f, g, h].map((word, index) => (word + (state[index] ?? 0n)) & WORD);
}

function schedule(block: Uint8Array, rounds: number): bigint[] {
  const view = new DataView(block.buffer, block.byteOffset, block.length);
  const words = Array.from({ length: 16 }, (_, index) => view.getBigUint64(index * 8));
  for (let at = 16; at < rounds; at++) {
    const [early = 0n, late = 0n] = [words[at - 15], words[at - 2]];
    const small0 = rotate(early, 1n) ^ rotate(early, 8n) ^ (early >> 7n);
    const small1 = rotate(late, 19n) ^ rotate(late, 61n) ^ (late >> 6n);
    words.push(((words[at - 16] ?? 0n) + small0 + (words[at - 7] ?? 0n) + small1) & WORD);
  }
  return words;
}

function rotate(word: bigint, count: bigint): bigint {
  return ((word >> count) | (word << (64n - count))) & WORD;
}

function firstPrimes(count: number): bigint[] {
  const found: bigint[] = [];
  for (let candidate = 2n; found.length < count; candidate++)
    if (found.every((prime) => candidate % prime !== 0n)) found.push(candidate);
  return found;
}

/** The first 64 bits of a prime's root behind the point, bit by bit from the highest. */
function fraction(prime: bigint, degree: number): bigint {
  const power = BigInt(degree);
  const wanted = prime << (64n * power);
  let root = 0n;
  for (let bit = 1n << 70n; bit > 0n; bit >>= 1n) if ((root | bit) ** power <= wanted) root |= bit;
  return root & WORD;
}
