/** Text from a guest as it may be shown: no byte of it may command the operator's terminal, or pretend to be another line. */
export function printable(text: string): string {
  return text.replace(/[\x00-\x08\x0a-\x1f\x7f-\x9f]+/g, ' ').trim();
}

/** As `printable`, keeping the lines. */
export function printableLines(text: string): string[] {
  return text
    .split('\n')
    .map(printable)
    .filter((line) => line !== '');
}
