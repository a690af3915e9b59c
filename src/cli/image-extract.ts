import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import { extractImage, renderImage } from '../stage0/image-output.ts';
import { withAttention } from './attention.ts';
import { boolean, Flag } from './flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { subcommand } from './subcommand.ts';

interface Values extends GlobalValues {
  readonly rootfsOnly?: boolean;
  readonly overwrite?: boolean;
}

export function imageExtractCommand(summary: string): Command {
  return directoryCommand('image extract', summary, extractImage);
}

export function imageRenderCommand(summary: string): Command {
  return directoryCommand('image render', summary, renderImage);
}

function directoryCommand(name: string, summary: string, write: typeof extractImage): Command {
  const flags = [
    new Flag('rootfs-only', boolean, 'only the root file system, without the manifest'),
    new Flag('overwrite', boolean, 'remove the directory first if it is there'),
  ];
  return subcommand(name, summary, flags, 'IMAGE DIR')
    .argument('<IMAGE>')
    .argument('<DIR>')
    .allowExcessArguments(false)
    .action(async (image: string, directory: string, values: Values) => {
      const { rootfsOnly = false, overwrite = false } = values;
      const host = openHost(hostOptions(values));
      const request = { image, directory, rootfsOnly, overwrite };
      await withAttention(host.debug, (attention) => write(host, request, attention));
    });
}
