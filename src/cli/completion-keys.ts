/** What a value of `KEY=VALUE` may be, of which `typed` is there already. */
import type { Keys } from './flag.ts';

/** `isList`: others stand before it, with commas between them. */
export function keyCandidates(keys: Keys, typed: string, isList: boolean): readonly string[] {
  const before = isList ? typed.slice(0, typed.lastIndexOf(',') + 1) : '';
  const [, key] = /^([^=]+)=/.exec(typed.slice(before.length)) ?? [];
  // A shell would read some states as two words.
  const isWord = (word: string) => !word.includes(' ');
  const words =
    key === undefined
      ? Object.keys(keys)
          .filter((name) => !`,${before}`.includes(`,${name}=`))
          .map((name) => `${name}=`)
      : (Object.entries(keys).find(([name]) => name === key)?.[1] ?? [])
          .filter(isWord)
          .map((word) => `${key}=${word}`);
  return words.map((word) => before + word);
}
