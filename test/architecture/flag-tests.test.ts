import { expect, test } from 'vitest';
import type { Entry } from '../../src/cli/command-line.ts';
import { GLOBAL_FLAGS } from '../../src/cli/global-flags.ts';
import { COMMANDS } from '../../src/cli/program.ts';
import { functionalTests, usesFlag } from './flag-uses.ts';

interface CommandFlags {
  readonly words: readonly string[];
  readonly flags: readonly string[];
}

const tests = functionalTests();

async function flagsOf(entries: readonly Entry[], groups: readonly string[] = []): Promise<CommandFlags[]> {
  const found = entries
    .filter(({ hidden }) => hidden !== true)
    .map(async (entry): Promise<CommandFlags[]> => {
      const words = [...groups, entry.name];
      if ('commands' in entry) return await flagsOf(entry.commands, words);
      const command = (await entry.load())(entry.summary, []);
      const own = command.options.filter(({ long }) => !GLOBAL_FLAGS.some((flag) => flag.long === long));
      return [{ words, flags: own.map((option) => option.name()) }];
    });
  return (await Promise.all(found)).flat();
}

test('every flag of every command is given to it in a functional test', async () => {
  const commands = await flagsOf(COMMANDS);
  const missing = commands.flatMap(({ words, flags }) =>
    flags
      .filter((flag) => !tests.some((text) => usesFlag(text, words, flag)))
      .map((flag) => `${words.join(' ')} --${flag}`),
  );
  expect(missing).toEqual([]);
});

test('every global flag is given to some command in a functional test', () => {
  const isGiven = (flag: string) => tests.some((text) => new RegExp(`['"\`]--${flag}(?![\\w-])`).test(text));
  expect(GLOBAL_FLAGS.map((flag) => flag.name()).filter((name) => !isGiven(name))).toEqual([]);
});
