/** As many as differ among pods that one looks at again and again. */
const MOST = 64;

/**
 * The same result for the same text: pods that were started alike have the same manifests, and to check one takes longer than to
 * read it. What it gives must not be changed.
 */
export function parsedOnce<T>(parse: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const old = known.get(text);
    if (old !== undefined) return old;
    if (known.size >= MOST) known.clear();
    const parsed = parse(text);
    known.set(text, parsed);
    return parsed;
  };
}
