import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import { inspect } from '../stage0/inspect.ts';
import { CliError } from './error.ts';
import { Flag, value } from './flag.ts';
import { formatFlag, jsonText, type OutputFormat } from './format-flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { inspectJson } from './inspect-json.ts';
import type { JsonValue } from './json.ts';
import { complain, print } from './output.ts';
import { subcommand } from './subcommand.ts';
import { uuidArguments } from './uuid-file.ts';

interface Values extends GlobalValues {
  readonly format?: OutputFormat;
  readonly uuidFile?: string;
}

export function inspectCommand(summary: string): Command {
  return subcommand(
    'inspect',
    summary,
    [formatFlag(), new Flag('uuid-file', value('FILE'), 'read the UUID from a file')],
    'UUID...',
  )
    .argument('[UUID...]')
    .action((words: string[], { format = 'text', uuidFile, ...values }: Values) => {
      const host = openHost(hostOptions(values));
      const pods: JsonValue[] = [];
      const uuids = uuidArguments(words, uuidFile);
      for (const uuid of uuids) {
        try {
          pods.push(inspectJson(inspect(host, uuid)));
        } catch (error) {
          complain('inspect', error, host.debug);
        }
      }
      // There is no other form.
      print(jsonText(pods, format === 'text' ? 'json-pretty' : format));
      if (pods.length < uuids.length) throw new CliError('some-failed', 'failed to inspect one or more pods');
    });
}
