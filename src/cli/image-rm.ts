import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import { removeImages } from '../stage0/image-removal.ts';
import { CliError } from './error.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { complain, print, warn } from './output.ts';
import { subcommand } from './subcommand.ts';

export function imageRmCommand(summary: string): Command {
  return subcommand('image rm', summary, [], 'IMAGE...')
    .argument('[IMAGE...]')
    .action(async (images: string[], values: GlobalValues) => {
      if (images.length === 0) throw new CliError('usage', 'must provide at least one image ID');
      const host = openHost(hostOptions(values));
      let [removed, failed] = [0, 0];
      await removeImages(host, images, (event) => {
        switch (event.kind) {
          case 'removed':
            removed += 1;
            print(`successfully removed aci for image: ${JSON.stringify(event.id)}\n`);
            return;
          case 'failed':
            failed += 1;
            complain(`rm: ${event.image}`, event.error, host.debug);
            return;
          default:
            event satisfies never;
        }
      });
      if (removed > 0) warn('rm', `${removed} image(s) successfully removed`);
      // As in rkt it is a failure only if nothing was removed.
      if (failed > 0 && removed > 0) warn('rm', `${failed} image(s) cannot be removed`);
      else if (failed > 0) throw new CliError('some-failed', `${failed} image(s) cannot be removed`);
    });
}
