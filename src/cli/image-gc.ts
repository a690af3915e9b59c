import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import { collectImages, type ImageGcEvent } from '../stage0/image-removal.ts';
import { formatBytes } from './byte-size.ts';
import { durationFlag } from './duration-flag.ts';
import { CliError } from './error.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { complain, print, warn } from './output.ts';
import { subcommand } from './subcommand.ts';

interface Values extends GlobalValues {
  readonly gracePeriod: number;
}

export function imageGcCommand(summary: string): Command {
  return subcommand('image gc', summary, [
    durationFlag('grace-period', 'how long an image is kept after its last use', '24h'),
  ])
    .allowExcessArguments(false)
    .action(async ({ gracePeriod, ...values }: Values) => {
      const host = openHost(hostOptions(values));
      const counts = { 'image-removed': 0, 'layers-removed': 0, skipped: 0, failed: 0 };
      await collectImages(host, { gracePeriod }, (event) => {
        counts[event.kind] += 1;
        show(event, host.debug);
      });
      if (counts['image-removed'] > 0) warn('gc', `${counts['image-removed']} image(s) successfully removed`);
      if (counts.failed > 0) throw new CliError('some-failed', 'failed to remove one or more images');
    });
}

function show(event: ImageGcEvent, debug: boolean): void {
  switch (event.kind) {
    case 'image-removed':
      print(`successfully removed aci for image: ${JSON.stringify(event.id)}\n`);
      return;
    case 'layers-removed':
      warn('gc', `removed ${event.count} layer(s), ${formatBytes(event.bytes)}`);
      return;
    case 'skipped':
      warn('gc', `image ${JSON.stringify(event.id)} not removed: ${event.reason}`);
      return;
    case 'failed':
      complain(`gc: image ${JSON.stringify(event.id)}`, event.error, debug);
      return;
    default:
      event satisfies never;
  }
}
