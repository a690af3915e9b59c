/** Of what an image offers, in a message. */
const MOST_LISTED = 8;

/** `a, b, c and 5 more`. */
export function listing(words: readonly string[]): string {
  const shown = words.slice(0, MOST_LISTED).join(', ');
  const more = words.length - MOST_LISTED;
  return more > 0 ? `${shown} and ${more} more` : shown;
}
