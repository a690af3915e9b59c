import type { Command } from 'commander';
import { type EnterRequest, enter } from '../stage0/enter.ts';
import { openHost } from '../stage0/host.ts';
import { Flag, value } from './flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { warn } from './output.ts';
import { requireRoot, subcommand } from './subcommand.ts';
import { uuidArgument } from './uuid-file.ts';

interface Values extends GlobalValues {
  readonly app?: string;
}

const DEFAULT_PROGRAM = '/bin/bash';

export function enterCommand(summary: string): Command {
  return programCommand('enter', summary);
}

/** Whatever it is called, it runs a program in a running app. */
export function programCommand(name: EnterRequest['caller'], summary: string): Command {
  return subcommand(
    name,
    summary,
    [new Flag('app', value('NAME'), 'the app, of a pod that has several')],
    'UUID [PROGRAM [ARGUMENT...]]',
  )
    .argument('[UUID]')
    .argument('[PROGRAM...]')
    .passThroughOptions()
    .action((word: string | undefined, program: readonly string[], values: Values) => {
      requireRoot();
      const uuid = uuidArgument(word === undefined ? [] : [word], undefined);
      const host = openHost(hostOptions(values));
      const command = commandOf(name, program);
      enter(host, { caller: name, uuid, app: values.app, command }, process.env);
    });
}

/** A `--` before the program has done its work: it is no program. */
function commandOf(name: string, words: readonly string[]): readonly string[] {
  const program = words[0] === '--' ? words.slice(1) : words;
  if (program.length > 0) return program;
  warn(name.split(' ').at(-1) ?? name, `no command specified, assuming ${JSON.stringify(DEFAULT_PROGRAM)}`);
  return [DEFAULT_PROGRAM];
}
