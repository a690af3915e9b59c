/** SHA-512 (FIPS 180-4) and HMAC over it (RFC 2104): the kernel's own, AF_ALG, is not on every host. Pure. */

export const DIGEST_BYTES = 64;
const BLOCK_BYTES = 128;
const LENGTH_BYTES = 16;
const ROUNDS = 80;

/** 64-bit numbers, each in two halves: an interpreter has no faster ones. */
interface Words {
  readonly high: Int32Array;
  readonly low: Int32Array;
}

const words = (count: number): Words => ({ high: new Int32Array(count), low: new Int32Array(count) });

/** Of the first primes: 64 bits after the point of their cube roots, and of their square roots. */
const ROUND_CONSTANTS = fractions(ROUNDS, 3n);
const INITIAL = fractions(8, 2n);

function fractions(count: number, power: 2n | 3n): Words {
  const out = words(count);
  firstPrimes(count).forEach((prime, index) => {
    const bits = BigInt.asUintN(64, root(BigInt(prime) << (64n * power), power));
    out.high[index] = Number(bits >> 32n);
    out.low[index] = Number(bits & 0xffffffffn);
  });
  return out;
}

function firstPrimes(count: number): number[] {
  const primes: number[] = [];
  for (let next = 2; primes.length < count; next++)
    if (primes.every((prime) => next % prime !== 0)) primes.push(next);
  return primes;
}

/** Rounded down; by Newton, from above. */
function root(value: bigint, power: bigint): bigint {
  let guess = 1n << (BigInt(value.toString(2).length) / power + 1n);
  for (;;) {
    const next = ((power - 1n) * guess + value / guess ** (power - 1n)) / power;
    if (next >= guess) return guess;
    guess = next;
  }
}

export function sha512(...parts: readonly Uint8Array[]): Uint8Array {
  const message = padded(parts);
  const state = { high: INITIAL.high.slice(), low: INITIAL.low.slice() };
  const schedule = words(ROUNDS);
  const view = new DataView(message.buffer);
  for (let at = 0; at < message.length; at += BLOCK_BYTES) {
    expand(schedule, view, at);
    compress(state, schedule);
  }
  const out = new DataView(new ArrayBuffer(DIGEST_BYTES));
  for (let n = 0; n < 8; n++) {
    out.setInt32(8 * n, state.high[n] ?? 0);
    out.setInt32(8 * n + 4, state.low[n] ?? 0);
  }
  return new Uint8Array(out.buffer);
}

export function hmacSha512(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const block = new Uint8Array(BLOCK_BYTES);
  block.set(key.length > BLOCK_BYTES ? sha512(key) : key);
  const mixed = (byte: number) => block.map((one) => one ^ byte);
  return sha512(mixed(0x5c), sha512(mixed(0x36), ...parts));
}

/** All parts, a bit, zeros, and the length in bits. */
function padded(parts: readonly Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const blocks = Math.ceil((length + 1 + LENGTH_BYTES) / BLOCK_BYTES);
  const out = new Uint8Array(blocks * BLOCK_BYTES);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  out[length] = 0x80;
  const view = new DataView(out.buffer);
  view.setUint32(out.length - 8, Math.floor(length / 2 ** 29));
  view.setUint32(out.length - 4, (length << 3) >>> 0);
  return out;
}

const TWO_32 = 2 ** 32;

/** The block's sixteen words, and those that follow from them. Halves that are added up are without sign: what is above 32 bits is carried. */
function expand({ high, low }: Words, message: DataView, at: number): void {
  for (let n = 0; n < 16; n++) {
    high[n] = message.getInt32(at + 8 * n);
    low[n] = message.getInt32(at + 8 * n + 4);
  }
  for (let n = 16; n < ROUNDS; n++) {
    const h15 = high[n - 15] ?? 0;
    const l15 = low[n - 15] ?? 0;
    const h2 = high[n - 2] ?? 0;
    const l2 = low[n - 2] ?? 0;
    const s0 = ((l15 >>> 1) | (h15 << 31)) ^ ((l15 >>> 8) | (h15 << 24)) ^ ((l15 >>> 7) | (h15 << 25));
    const s1 = ((l2 >>> 19) | (h2 << 13)) ^ ((h2 >>> 29) | (l2 << 3)) ^ ((l2 >>> 6) | (h2 << 26));
    const sum = (s0 >>> 0) + (s1 >>> 0) + ((low[n - 7] ?? 0) >>> 0) + ((low[n - 16] ?? 0) >>> 0);
    low[n] = sum | 0;
    high[n] =
      (((h15 >>> 1) | (l15 << 31)) ^ ((h15 >>> 8) | (l15 << 24)) ^ (h15 >>> 7)) +
      (((h2 >>> 19) | (l2 << 13)) ^ ((l2 >>> 29) | (h2 << 3)) ^ (h2 >>> 6)) +
      (high[n - 7] ?? 0) +
      (high[n - 16] ?? 0) +
      ((sum / TWO_32) | 0);
  }
}

/** Moves its eight variables one by one: destructuring would make an iterator each time. */
function compress(state: Words, { high, low }: Words): void {
  const { high: kh, low: kl } = ROUND_CONSTANTS;
  let [ah = 0, bh = 0, ch = 0, dh = 0, eh = 0, fh = 0, gh = 0, hh = 0] = state.high;
  let [al = 0, bl = 0, cl = 0, dl = 0, el = 0, fl = 0, gl = 0, hl = 0] = state.low;
  for (let n = 0; n < ROUNDS; n++) {
    const first =
      (hl >>> 0) +
      ((((eh << 18) | (el >>> 14)) ^ ((eh << 14) | (el >>> 18)) ^ ((el << 23) | (eh >>> 9))) >>> 0) +
      (((el & fl) ^ (~el & gl)) >>> 0) +
      ((kl[n] ?? 0) >>> 0) +
      ((low[n] ?? 0) >>> 0);
    const firstHigh =
      (hh +
        (((el << 18) | (eh >>> 14)) ^ ((el << 14) | (eh >>> 18)) ^ ((eh << 23) | (el >>> 9))) +
        ((eh & fh) ^ (~eh & gh)) +
        (kh[n] ?? 0) +
        (high[n] ?? 0) +
        ((first / TWO_32) | 0)) |
      0;
    const second =
      ((((ah << 4) | (al >>> 28)) ^ ((al << 30) | (ah >>> 2)) ^ ((al << 25) | (ah >>> 7))) >>> 0) +
      (((al & bl) ^ (al & cl) ^ (bl & cl)) >>> 0);
    const secondHigh =
      (((al << 4) | (ah >>> 28)) ^ ((ah << 30) | (al >>> 2)) ^ ((ah << 25) | (al >>> 7))) +
      ((ah & bh) ^ (ah & ch) ^ (bh & ch)) +
      ((second / TWO_32) | 0);
    hh = gh;
    hl = gl;
    gh = fh;
    gl = fl;
    fh = eh;
    fl = el;
    const moved = (dl >>> 0) + (first >>> 0);
    eh = (dh + firstHigh + ((moved / TWO_32) | 0)) | 0;
    el = moved | 0;
    dh = ch;
    dl = cl;
    ch = bh;
    cl = bl;
    bh = ah;
    bl = al;
    const next = (first >>> 0) + (second >>> 0);
    ah = (firstHigh + secondHigh + ((next / TWO_32) | 0)) | 0;
    al = next | 0;
  }
  add(state, [ah, bh, ch, dh, eh, fh, gh, hh], [al, bl, cl, dl, el, fl, gl, hl]);
}

type Eight = readonly [number, number, number, number, number, number, number, number];

function add({ high, low }: Words, highs: Eight, lows: Eight): void {
  for (let n = 0; n < 8; n++) {
    const sum = ((low[n] ?? 0) >>> 0) + ((lows[n] ?? 0) >>> 0);
    low[n] = sum | 0;
    high[n] = (high[n] ?? 0) + (highs[n] ?? 0) + ((sum / TWO_32) | 0);
  }
}
