import { refuse } from './errors.ts';
import { type Cursor, type Grammar, word } from './json.ts';
import { parseWord } from './names.ts';

/**
 * An amount of a resource as its user wrote it (`1G`, `128Mi`, `0.5`, `250m`), known to be well formed and
 * not negative. The text is kept, so that a manifest comes out as it went in; `wholeUnits` gives
 * the number.
 */
export type Quantity = string & { readonly quantity: true };

/** Thousandths of the unit that each suffix stands for. `k` is how Kubernetes writes appc's `K`. */
const suffixes: ReadonlyMap<string, bigint> = new Map([
  ['m', 1n],
  ['', 1000n],
  ['k', 1000n ** 2n],
  ['K', 1000n ** 2n],
  ['M', 1000n ** 3n],
  ['G', 1000n ** 4n],
  ['T', 1000n ** 5n],
  ['P', 1000n ** 6n],
  ['E', 1000n ** 7n],
  ['Ki', 1000n * 1024n],
  ['Mi', 1000n * 1024n ** 2n],
  ['Gi', 1000n * 1024n ** 3n],
  ['Ti', 1000n * 1024n ** 4n],
  ['Pi', 1000n * 1024n ** 5n],
  ['Ei', 1000n * 1024n ** 6n],
]);

// Exponents of one or two digits and amounts of at most 30 keep the arithmetic below small, whoever asks.
const form = /^\+?(?=\.?\d)(\d{0,30})(?:\.(\d{0,30}))?(?:[eE]([+-]?\d{1,2})|(m|[kKMGTPE]|[KMGTPE]i)?)$/;

/** As Kubernetes, whose type rkt uses, quantities stop at the largest 64-bit number. */
const largest = (2n ** 63n - 1n) * 1000n;

const quantity: Grammar<Quantity> = {
  noun: 'a quantity (an amount such as 500m, 0.5, 1G or 128Mi)',
  is: (text): text is Quantity => form.test(text),
};

const readQuantityText = word(quantity);

/** Numbers are taken as well as strings. */
export function readQuantity(at: Cursor): Quantity {
  return readQuantityText(typeof at.value === 'number' ? { ...at, value: String(at.value) } : at);
}

/** Throws AppcError `invalid-value`. */
export function parseQuantity(text: string): Quantity {
  return parseWord(quantity, text);
}

/** In units (bytes, cores), a part of one counting as a whole, as rkt counts. */
export function wholeUnits(amount: Quantity): number {
  return Number(divideUp(thousandths(amount), 1000n));
}

/** In thousandths of the unit, a part of one counting as a whole. */
export function milliUnits(amount: Quantity): number {
  return Number(thousandths(amount));
}

function thousandths(amount: Quantity): bigint {
  const [, whole = '', fraction = '', exponent = '0', suffix = ''] = form.exec(amount) ?? [];
  const scale = suffixes.get(suffix);
  if (scale === undefined) throw refuse('invalid-value', '', `expected ${quantity.noun}, got ${amount}`);
  const power = Number(exponent) - fraction.length;
  const digits = BigInt(`0${whole}${fraction}`) * scale;
  const result = power >= 0 ? digits * 10n ** BigInt(power) : divideUp(digits, 10n ** BigInt(-power));
  return result > largest ? largest : result;
}

function divideUp(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}
