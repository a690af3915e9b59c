/** The part of a hosts file that is of other pods. */

const BEGIN = '# Pods on the same networks, as they come and go:\n';

/** A hosts file with these lines in place of those that it had; what is above them is the image's, and the app's that has written there. */
export function withNames(text: string, names: string): string {
  const begin = text.startsWith(BEGIN) ? 0 : text.lastIndexOf(`\n${BEGIN}`) + 1;
  const hasNames = begin > 0 || text.startsWith(BEGIN);
  const own = hasNames ? text.slice(0, begin) : text;
  if (names === '') return own;
  const ending = own === '' || own.endsWith('\n') ? '' : '\n';
  return `${own}${ending}${BEGIN}${names}`;
}
