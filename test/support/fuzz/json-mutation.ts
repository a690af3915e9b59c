import type { Dice } from './dice.ts';
import { flipBits } from './header-mutation.ts';
import { formatTree, type JsonNode, type JsonPlace, jsonTree, placesIn } from './json-tree.ts';

const SCALARS = [
  ...['null', 'true', 'false', '0', '-1', '-0', '1.5', '2', '1e400', '-1e400', '1e-400', '9007199254740993'],
  ...[
    '9'.repeat(400),
    '""',
    '"x"',
    '"../../x"',
    '"a\\u0000b"',
    '"\\ud800"',
    '"\\u001b[31m"',
    '"line\\nbreak"',
  ],
  ...[
    '"__proto__"',
    '"constructor"',
    '"linux"',
    '"sha256:"',
    `"sha256:${'0'.repeat(64)}"`,
    '"/"',
    '[]',
    '{}',
    '[[]]',
  ],
  ...['{"__proto__":{"polluted":true}}', '[null]', '{"":""}'],
];

/** Too long for whoever reads it into one message, too deep for whoever recurs, too many for whoever counts late. */
const LARGE: readonly (() => string)[] = [
  () => JSON.stringify('s'.repeat(300_000)),
  () => `${'['.repeat(5000)}${']'.repeat(5000)}`,
  () => `${'{"a":'.repeat(2000)}1${'}'.repeat(2000)}`,
  () => `[${'0,'.repeat(100_000)}0]`,
  () => `[${'{},'.repeat(50_000)}{}]`,
  () => `{${Array.from({ length: 20_000 }, (_, key) => `"k${key}":1`).join(',')}}`,
  () => JSON.stringify('\0'.repeat(50_000)),
  // As many as fit into the largest document.
  () => `[${'{},'.repeat(1_300_000)}{}]`,
];

/** A document with a few things wrong with it: mostly in one place, sometimes as a text. */
export function mutateJson(document: unknown, dice: Dice): string {
  const tree = jsonTree(document);
  for (let count = 1 + dice.below(3); count > 0; count--) {
    const places = placesIn(tree);
    if (places.length > 0) mutatePlace(dice.pick(places), places, dice);
  }
  const text = formatTree(tree);
  return dice.chance(0.08) ? mutateText(text, dice) : text;
}

function mutatePlace(place: JsonPlace, others: readonly JsonPlace[], dice: Dice): void {
  const draw = dice.below(100);
  if (draw < 10) place.remove();
  else if (draw < 20) place.double(structuredClone(place.node));
  else if (draw < 28) place.double(text(dice.pick(SCALARS)));
  else if (draw < 40) place.replace(structuredClone(dice.pick(others).node));
  else if (draw < 55) place.replace(scrambled(place.node, dice));
  else if (draw < 62) place.replace(text(dice.pick(LARGE)()));
  else if (draw < 70) place.replace({ kind: 'array', items: [place.node, structuredClone(place.node)] });
  else place.replace(text(dice.pick(SCALARS)));
}

function text(json: string): JsonNode {
  return { kind: 'text', text: json };
}

/** A string with one character changed: one digit of a digest, one letter of a type. */
function scrambled(node: JsonNode, dice: Dice): JsonNode {
  if (node.kind !== 'text' || node.text.length < 3) return node;
  const at = 1 + dice.below(node.text.length - 2);
  return text(`${node.text.slice(0, at)}${dice.pick([...'0aZ9/:. -_%'])}${node.text.slice(at + 1)}`);
}

function mutateText(json: string, dice: Dice): string {
  return dice.pick([
    () => json.slice(0, dice.below(json.length)),
    () => `${json}${json}`,
    () => `\ufeff${json}`,
    () => `${json}\0`,
    () => `/* comment */${json}`,
    () => json.replaceAll('"', "'"),
    () => json.replace(/}$/, ',}'),
    () => '',
    () => {
      const bytes = Buffer.from(json);
      flipBits(bytes, dice);
      return bytes.toString('latin1');
    },
  ])();
}
