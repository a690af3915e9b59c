import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import { type VerifyEvent, verifyImages } from '../stage0/images.ts';
import { withAttention } from './attention.ts';
import { CliError } from './error.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { complain, print } from './output.ts';
import { printable } from './printable.ts';
import { subcommand } from './subcommand.ts';

export function imageVerifyCommand(summary: string): Command {
  return subcommand('image verify', summary, [], 'IMAGE...')
    .argument('[IMAGE...]')
    .action(async (images: string[], values: GlobalValues) => {
      if (images.length === 0) throw new CliError('usage', 'must provide at least one image ID');
      const host = openHost(hostOptions(values));
      let failed = false;
      await withAttention(host.debug, (attention, progress) => {
        const report = (event: VerifyEvent) => {
          failed ||= event.kind === 'failed';
          progress.clear();
          show(event, host.debug);
        };
        return verifyImages(host, images, report, attention);
      });
      if (failed) throw new CliError('some-failed', 'failed to verify one or more images');
    });
}

function show(event: VerifyEvent, debug: boolean): void {
  switch (event.kind) {
    case 'verified':
      print(`successfully verified checksum for image: "${event.image}" ("${event.id}")\n`);
      return;
    case 'rebuilt':
      print(
        `tree cache verification failed for image ${event.image}: ${printable(event.problem)}; rebuilt "${event.id}"\n`,
      );
      return;
    case 'failed':
      complain(`verify: ${event.image}`, event.error, debug);
      return;
    default:
      event satisfies never;
  }
}
