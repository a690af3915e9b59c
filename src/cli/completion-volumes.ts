/** What `--volume`, `--mnt-volume` and `--mount` may be, of which `typed` is there already. */
import { VOLUME_KINDS } from '../stage0/volume-request.ts';

/** The words before the one at the end, and all of the text that they are. */
function before(typed: string): { readonly words: readonly string[]; readonly text: string } {
  return { words: typed.split(',').slice(0, -1), text: typed.slice(0, typed.lastIndexOf(',') + 1) };
}

/** `named`: volumes of the host. A name may be any, so what follows it is proposed with it. */
export function volumeCandidates(typed: string, named: readonly string[]): readonly string[] {
  const { words, text } = before(typed);
  if (words.length === 0) {
    const key = typed.startsWith('name=') ? 'name=' : '';
    const ofHost = named.map((name) => `${key}${name},kind=named`);
    return typed.length === key.length ? ofHost : [...ofHost, `${typed},kind=`];
  }
  const kind = words.find((word) => word.startsWith('kind='));
  if (kind === undefined) return VOLUME_KINDS.map((word) => `${text}kind=${word}`);
  return kind === 'kind=named' ? named.map((name) => `${text}source=${name}`) : [];
}

/** `given`: the values of `--volume`. */
export function mountCandidates(typed: string, given: readonly string[]): readonly string[] {
  const { words, text } = before(typed);
  const open = ['target', 'subPath'].filter((key) => !words.some((word) => word.startsWith(`${key}=`)));
  if (words.some((word) => word.startsWith('volume='))) return open.map((key) => `${text}${key}=`);
  const names = given.map((volume) => volume.replace(/^name=|,.*/g, ''));
  return names.map((name) => `${text}volume=${name}${text === '' ? ',target=' : ''}`);
}
