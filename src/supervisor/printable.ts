// C0 but for TAB, and C1 controls, line and paragraph separators, and what turns the direction of text around.
const UNPRINTABLE = /[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]+/g;

/** Text from a guest as it may be shown: nothing of it may command the operator's terminal, or pretend to be another line. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, ' ').trim();
}

/** As `printable`, keeping the lines. */
export function printableLines(text: string): string[] {
  return text
    .split('\n')
    .map(printable)
    .filter((line) => line !== '');
}
