import { readText } from '../../../src/native/contents.ts';
import { report } from './report.ts';

/** Of text and of bytes, around every border between the sizes that memory comes in. */
const LENGTHS = Array.from({ length: 140 }, (_, index) => index * 8).flatMap((length) => [
  length,
  length + 1,
  length + 7,
]);
const ROUNDS = 40;

/** Pages that this program has in memory. */
function resident(): number {
  return Number(readText('/proc/self/statm').split(' ')[1]);
}

function fill(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (seed + index) % 251);
}

/** How many of a set of pieces, which were there at once, are not as they were written. */
function spoiled(round: number): number {
  const bytes = LENGTHS.map((length, index) => fill(length, round + index));
  const texts = LENGTHS.map((length, index) => String.fromCharCode(97 + (index % 26)).repeat(length));
  // Grows by moving, in between the others.
  const lists = LENGTHS.map((length) => Array.from({ length: length % 300 }, (_, index) => index));
  for (const list of lists) for (let more = 0; more < 40; more++) list.push(list.length);
  const wrongBytes = bytes.filter((piece, index) =>
    piece.some((byte, at) => byte !== (round + index + at) % 251),
  );
  const wrongTexts = texts.filter(
    (text, index) =>
      text.length !== LENGTHS[index] || text.replaceAll(String.fromCharCode(97 + (index % 26)), '') !== '',
  );
  const wrongLists = lists.filter((list) => list.some((value, index) => value !== index));
  return wrongBytes.length + wrongTexts.length + wrongLists.length;
}

const first = spoiled(0);
const before = resident();
let later = 0;
for (let round = 1; round <= ROUNDS; round++) later += spoiled(round);
report({ spoiled: first + later, before, after: resident() });
