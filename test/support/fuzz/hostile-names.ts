import type { Dice } from './dice.ts';

/** What lies around the store: where a name may try to lead. */
export interface Surroundings {
  /** A directory that nothing may touch. */
  readonly outside: string;
  /** A name that may appear nowhere but inside an image. */
  readonly token: string;
}

const LATIN1 = 'latin1';

/** A name that an entry should not have, or that is hard to get right. `taken` are names that the archive has. */
export function hostileName(dice: Dice, taken: readonly string[], { outside, token }: Surroundings): Buffer {
  const own = taken.length === 0 ? 'file' : dice.pick(taken);
  const up = '../'.repeat(1 + dice.below(12));
  const makers: ReadonlyArray<() => string> = [
    () => `${up}${token}`,
    () => `${outside}/${token}`,
    () => `/${token}`,
    () => `rootfs/${up}${token}`,
    () => `${own}/${up}${token}`,
    () => `${own}/${token}`,
    () => `${own}/../${own}`,
    () => own,
    () => `./${own}//.`,
    () => dice.pick(['', '.', './', '/', '//', '..', '../', 'rootfs', 'rootfs/', 'rootfs/..', 'manifest']),
    () => `rootfs/${dice.pick(['.', '..', 'rootfs', 'manifest', '/', 'a/./b', 'a//b'])}`,
    () => `before\0after-${token}`,
    () => 'n'.repeat(dice.pick([100, 155, 255, 256, 4095, 4096, 5000])),
    () => `${'d/'.repeat(dice.pick([20, 128, 255, 256, 300, 2000]))}f`,
    () => `${own}/.wh.${token}`,
    () => own.replace(/[^/]*$/, (name) => `.wh.${name}`),
    () => `${own}/.wh..wh..opq`,
    () =>
      dice.pick(['.wh.', '.wh..', '.wh...', '.wh..wh.', '.wh..wh..opq', '.wh..wh.plnk', '.wh.a/b', '.wh.\0']),
    () => dice.bytes(1 + dice.below(60)).toString(LATIN1),
    () =>
      dice.pick(['line\nbreak', 'tab\ttab', '\u001b[31mred', 'caf\u00e9', '\u00ff\u00fe', ' ', '-rf', '*']),
  ];
  return Buffer.from(dice.pick(makers)(), LATIN1);
}

/** Where a link should not lead. */
export function hostileTarget(
  dice: Dice,
  taken: readonly string[],
  { outside, token }: Surroundings,
): string {
  const own = taken.length === 0 ? 'file' : dice.pick(taken);
  const up = '../'.repeat(1 + dice.below(12));
  return dice.pick([
    outside,
    `${outside}/secret`,
    `${outside}/directory`,
    `${up}outside`,
    `${up}outside/secret`,
    `${up}${token}`,
    '/',
    '/proc/self/cwd',
    '/proc/self/fd/1',
    '..',
    '.',
    '',
    own,
    `./${own}/`,
    `${own}/..`,
    `/${own}`,
    't'.repeat(dice.pick([100, 255, 4095, 4096, 5000])),
    `nul\0${token}`,
  ]);
}
