import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import { inspectVolume } from '../stage0/volumes.ts';
import { CliError } from './error.ts';
import { formatFlag, jsonText, type OutputFormat } from './format-flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import type { JsonValue } from './json.ts';
import { complain, print } from './output.ts';
import { subcommand } from './subcommand.ts';
import { volumeJson } from './volume-json.ts';

interface Values extends GlobalValues {
  readonly format?: OutputFormat;
}

export function volumeInspectCommand(summary: string): Command {
  return subcommand('volume inspect', summary, [formatFlag()], 'VOLUME...')
    .argument('[VOLUME...]')
    .action((names: string[], { format = 'text', ...values }: Values) => {
      if (names.length === 0) throw new CliError('usage', 'must provide at least one name');
      const host = openHost(hostOptions(values));
      const volumes: JsonValue[] = [];
      for (const name of names) {
        try {
          volumes.push(volumeJson(inspectVolume(host, name)));
        } catch (error) {
          complain('inspect', error, host.debug);
        }
      }
      // There is no other form.
      print(jsonText(volumes, format === 'text' ? 'json-pretty' : format));
      if (volumes.length < names.length)
        throw new CliError('some-failed', 'failed to inspect one or more volumes');
    });
}
