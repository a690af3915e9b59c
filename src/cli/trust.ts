import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import { type TrustEvent, trust } from '../stage0/trust.ts';
import { CliError } from './error.ts';
import { boolean, Flag, value } from './flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { interruptible } from './interruption.ts';
import { terminalReview } from './key-review.ts';
import { print } from './output.ts';
import { subcommand } from './subcommand.ts';
import { trustLines } from './trust-lines.ts';

interface Values extends GlobalValues {
  readonly prefix?: string;
  readonly root?: boolean;
  readonly insecureAllowHttp?: boolean;
  readonly skipFingerprintReview?: boolean;
}

const FLAGS: readonly Flag[] = [
  new Flag('prefix', value('PREFIX'), 'trust the keys for the images whose names begin with this'),
  new Flag('root', boolean, 'trust the keys for every image'),
  new Flag('insecure-allow-http', boolean, 'find and fetch keys by plain http too'),
  new Flag('skip-fingerprint-review', boolean, 'do not ask whether the keys are the right ones'),
];

export function trustCommand(summary: string): Command {
  return subcommand('trust', summary, FLAGS, '[PUBKEY...]')
    .argument('[PUBKEY...]')
    .action(async (locations: string[], values: Values) => {
      const prefix = trustedPrefix(values, locations);
      const request = {
        prefix,
        locations,
        skipReview: values.skipFingerprintReview ?? false,
        allowHttp: values.insecureAllowHttp ?? false,
      };
      await interruptible(async (signal) => {
        const review = terminalReview({ signal });
        const asking = review === undefined ? {} : { review };
        await trust(openHost(hostOptions(values)), request, { report: show, signal, ...asking });
      });
    });
}

/** Undefined: every image, which must be said. Throws CliError `usage`. */
function trustedPrefix({ prefix = '', root = false }: Values, keys: readonly string[]): string | undefined {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(prefix)?.[1];
  if (prefix !== '' && root) throw new CliError('usage', '--root and --prefix usage mutually exclusive');
  if (scheme !== undefined)
    throw new CliError('usage', `--prefix must not contain a URL scheme, omit ${scheme}://`);
  if (prefix !== '') return prefix;
  if (!root) {
    throw new CliError(
      'usage',
      'aborting due to implicit unbounded trust (root domain): give --prefix=PREFIX, or --root for every image',
    );
  }
  if (keys.length === 0) throw new CliError('usage', '--root needs a key: a file or a URL');
  return undefined;
}

/** What has been done goes to stdout, what is to be looked at to the terminal. */
function show(event: TrustEvent): void {
  for (const line of trustLines(event)) {
    if (event.kind === 'key-added') print(`${line}\n`);
    else process.stderr.write(`${line}\n`);
  }
}
