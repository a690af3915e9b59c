// C0 and C1 controls, line and paragraph separators, and what turns the direction of text around.
const UNPRINTABLE = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Text of one line that a terminal only shows: registries, archives and keys must not move its cursor or make up lines.
 * Blanks and line ends become a space, other controls are escaped.
 */
export function printable(text: string): string {
  return text.replaceAll(/[\t\r\n]+ */g, ' ').replaceAll(UNPRINTABLE, escaped);
}

/** The same for text of several lines that keeps its TABs: a table, a document of JSON, where an escape means what it stands for. */
export function printableLines(text: string): string {
  return text.replaceAll(UNPRINTABLE, (character) =>
    /[\t\n]/.test(character) ? character : escaped(character),
  );
}

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
