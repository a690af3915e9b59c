/** A small seeded generator (mulberry32), so that a failing run can be repeated from its printed seed. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const rubbish: readonly unknown[] = [
  null,
  true,
  -1,
  0,
  1.5,
  2 ** 60,
  '',
  'x',
  '../../etc/passwd',
  'a\0b',
  '\ud800',
  'A'.repeat(5000),
  [],
  {},
  [[]],
  { name: 'constructor', value: 'toString' },
  JSON.parse('{"__proto__": {"polluted": true}}'),
];

/** The document with one value, somewhere, replaced by rubbish, removed, or doubled where it is in a list. */
export function mutate(document: unknown, random: () => number): unknown {
  const copy: unknown = JSON.parse(JSON.stringify(document));
  const places = placesIn(copy);
  const place = places[Math.floor(random() * places.length)];
  if (!place) return copy;
  const { holder, key } = place;
  const choice = random();
  if (choice < 0.1 && Array.isArray(holder)) holder.splice(Number(key), 1);
  else if (choice < 0.1) Reflect.deleteProperty(holder, key);
  else if (choice < 0.2 && Array.isArray(holder)) holder.push(holder[Number(key)]);
  else if (choice < 0.4) Reflect.set(holder, key, scrambled(Reflect.get(holder, key), random));
  else Reflect.set(holder, key, rubbish[Math.floor(random() * rubbish.length)]);
  return copy;
}

function scrambled(value: unknown, random: () => number): unknown {
  if (typeof value !== 'string' || value === '') return value;
  const at = Math.floor(random() * value.length);
  return value.slice(0, at) + String.fromCharCode(Math.floor(random() * 128)) + value.slice(at + 1);
}

function placesIn(value: unknown): { readonly holder: object; readonly key: string }[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, child]) => [{ holder: value, key }, ...placesIn(child)]);
}
