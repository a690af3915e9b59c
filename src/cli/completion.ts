import type { Command } from 'commander';
import type { Entry } from './command-line.ts';
import { COMPLETION_SCRIPTS } from './completion-scripts.ts';
import { SHELLS } from './completion-sources.ts';
import { complete } from './completion-words.ts';
import { CliError } from './error.ts';
import { print } from './output.ts';
import { printable } from './printable.ts';
import { subcommand } from './subcommand.ts';

export function completionCommand(summary: string): Command {
  return subcommand('completion', summary, [], 'SHELL')
    .argument('<SHELL>')
    .allowExcessArguments(false)
    .action((word: string) => {
      const shell = SHELLS.find((candidate) => candidate === word);
      if (shell === undefined)
        throw new CliError('usage', `expected ${SHELLS.join(', ')}, got ${JSON.stringify(word)}`);
      print(COMPLETION_SCRIPTS[shell]);
    });
}

/** What the scripts call: `rkt __complete -- WORD...`. */
export function completeCommand(summary: string, commands: readonly Entry[]): Command {
  return subcommand('__complete', summary, [], '-- WORD...')
    .argument('[WORD...]')
    .action(async (words: string[]) => {
      const completion = await complete(words, commands);
      const candidates = completion.kind === 'words' ? completion.candidates : [];
      const lines = candidates.map(({ word, about }) => `${word}\t${printable(about)}`);
      print([completion.kind, ...lines].map((line) => `${line}\n`).join(''));
    });
}
