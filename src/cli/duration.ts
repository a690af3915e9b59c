import { InvalidArgumentError } from 'commander';

/** Milliseconds of each of Go's units. */
const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  µs: 1e-3,
  μs: 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
/** In characters. What is longer is none, and would take the pattern long to find so. */
const LONGEST = 64;
const PART = /(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g;

/** Reads a duration as Go's time.ParseDuration does (`1h30m`, `1.5s`, `0`), in milliseconds. Throws InvalidArgumentError. */
export function parseDuration(text: string): number {
  const sign = text.startsWith('-') ? -1 : 1;
  const amount = text.replace(/^[+-]/, '');
  if (amount === '0') return 0;
  const parts = amount.length > LONGEST ? [] : [...amount.matchAll(PART)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== amount)
    throw new InvalidArgumentError(`invalid duration ${JSON.stringify(text)}`);
  return sign * parts.reduce((sum, [, number, unit]) => sum + Number(number) * (UNITS[unit ?? ''] ?? 0), 0);
}

/** As Go prints a duration: `30m0s`, `1h0m0s`, `500ms`, `0s`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds !== 0 && Math.abs(milliseconds) < 1000) return `${trimmed(milliseconds)}ms`;
  const seconds = Math.abs(milliseconds) / 1000;
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  const rest = `${trimmed(seconds % 60)}s`;
  const text = hours > 0 ? `${hours}h${minutes}m${rest}` : minutes > 0 ? `${minutes}m${rest}` : rest;
  return milliseconds < 0 ? `-${text}` : text;
}

function trimmed(number: number): string {
  return String(Number(number.toFixed(6)));
}
