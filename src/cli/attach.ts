import { type Command, InvalidArgumentError } from 'commander';
import { type AttachAction, DEFAULT_DETACH_KEYS, parseAttachMode, parseDetachKeys } from '../abi/attach.ts';
import { attach } from '../stage0/attach.ts';
import { openHost } from '../stage0/host.ts';
import { choice, Flag, value } from './flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { requireRoot, subcommand } from './subcommand.ts';
import { uuidArgument } from './uuid-file.ts';

interface Values extends GlobalValues {
  readonly app?: string;
  readonly mode?: AttachAction;
  readonly detachKeys?: string;
}

const MODES = ['auto', 'list', 'stdin', 'stdout', 'stderr', 'tty', 'tty-in', 'tty-out'];

const FLAGS: readonly Flag[] = [
  new Flag('app', value('NAME'), 'the app, of a pod that has several'),
  parsed(
    new Flag(
      'mode',
      choice('MODE', MODES),
      'auto: to all that there is; list; or what, between commas (default: auto)',
    ),
    parseAttachMode,
  ),
  parsed(
    new Flag('detach-keys', value('KEYS'), `what detaches from a terminal (default: ${DEFAULT_DETACH_KEYS})`),
    (keys) => {
      parseDetachKeys(keys);
      return keys;
    },
  ),
];

export function attachCommand(summary: string): Command {
  return subcommand('attach', summary, FLAGS, 'UUID')
    .argument('[UUID]')
    .allowExcessArguments(false)
    .action((word: string | undefined, values: Values) => {
      requireRoot();
      const uuid = uuidArgument(word === undefined ? [] : [word], undefined);
      const { app, mode: action = { kind: 'auto-attach' }, detachKeys = DEFAULT_DETACH_KEYS } = values;
      attach(openHost(hostOptions(values)), { uuid, app, action, detachKeys }, process.env);
    });
}

function parsed(flag: Flag, parse: (text: string) => unknown): Flag {
  flag.argParser((text: string) => {
    try {
      return parse(text);
    } catch (cause) {
      throw new InvalidArgumentError(cause instanceof Error ? cause.message : String(cause));
    }
  });
  return flag;
}
