import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import { parsePairs } from '../stage0/marks.ts';
import { createVolume, DEFAULT_ROOT } from '../stage0/volumes.ts';
import { CliError } from './error.ts';
import { Flag, value, values } from './flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { complain, print } from './output.ts';
import { requireRoot, subcommand } from './subcommand.ts';

interface Values extends GlobalValues {
  readonly label?: readonly string[];
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
}

/** The largest id that is not -1, which chown takes as "leave it alone". */
const LARGEST_ID = 2 ** 32 - 2;

export function volumeCreateCommand(summary: string): Command {
  return subcommand(
    'volume create',
    summary,
    [
      new Flag('label', values('KEY=VALUE'), 'a label, shown by inspect and looked for by list'),
      numberFlag('mode', 'MODE', 8, 0o7777, 'of the directory that apps see, octal (default: 0755)'),
      numberFlag('uid', 'UID', 10, LARGEST_ID, 'its owner (default: 0)'),
      numberFlag('gid', 'GID', 10, LARGEST_ID, 'its group (default: 0)'),
    ],
    'NAME...',
  )
    .argument('[NAME...]')
    .action(async (names: string[], { label = [], mode, uid, gid, ...global }: Values) => {
      requireRoot();
      if (names.length === 0) throw new CliError('usage', 'must provide at least one name');
      const host = openHost(hostOptions(global));
      const labels = parsePairs('--label', label);
      const root = {
        mode: mode ?? DEFAULT_ROOT.mode,
        uid: uid ?? DEFAULT_ROOT.uid,
        gid: gid ?? DEFAULT_ROOT.gid,
      };
      let failed = 0;
      for (const name of names) {
        try {
          print(`${await createVolume(host, { name, labels, root })}\n`);
        } catch (error) {
          failed += 1;
          complain('create', error, host.debug);
        }
      }
      if (failed > 0) throw new CliError('some-failed', 'failed to make one or more volumes');
    });
}

function numberFlag(name: string, placeholder: string, base: 8 | 10, most: number, about: string): Flag {
  const flag = new Flag(name, value(placeholder), about);
  flag.argParser((text: string) => {
    const number = (base === 8 ? /^[0-7]{1,5}$/ : /^\d{1,10}$/).test(text)
      ? Number.parseInt(text, base)
      : most + 1;
    if (number <= most) return number;
    const expected = base === 8 ? 'a mode in octal digits' : `a number from 0 to ${most}`;
    throw new CliError('usage', `--${name}: expected ${expected}, got ${JSON.stringify(text)}`);
  });
  return flag;
}
