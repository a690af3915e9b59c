import { extname } from 'node:path';
import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import { type ExportFormat, exportImage } from '../stage0/image-output.ts';
import { withAttention } from './attention.ts';
import { CliError } from './error.ts';
import { boolean, choice, Flag } from './flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import { subcommand } from './subcommand.ts';

interface Values extends GlobalValues {
  readonly overwrite?: boolean;
  readonly format?: ExportFormat;
}

const FORMAT_OF_EXTENSION: Readonly<Record<string, ExportFormat>> = { '.aci': 'aci', '.tar': 'oci-archive' };

export function imageExportCommand(summary: string): Command {
  const flags = [new Flag('overwrite', boolean, 'replace a file that is there'), exportFormatFlag()];
  return subcommand('image export', summary, flags, 'IMAGE FILE')
    .argument('<IMAGE>')
    .argument('<FILE>')
    .allowExcessArguments(false)
    .action(async (image: string, path: string, { overwrite = false, format, ...values }: Values) => {
      const request = { image, path, format: format ?? formatOf(path), overwrite };
      const host = openHost(hostOptions(values));
      await withAttention(host.debug, (attention) => exportImage(host, request, attention));
    });
}

/** The format that a file's name promises. Throws CliError `usage`. */
export function formatOf(path: string): ExportFormat {
  const format = FORMAT_OF_EXTENSION[extname(path)];
  if (format !== undefined) return format;
  throw new CliError(
    'usage',
    `${path}: expected the extension .aci or .tar (--format says what to write to other files)`,
  );
}

export function exportFormatFlag(): Flag {
  const description = 'aci or oci-archive (default: by the extension, .aci or .tar)';
  const flag = new Flag('format', choice('FORMAT', Object.values(FORMAT_OF_EXTENSION)), description);
  flag.argParser((text: string): ExportFormat => {
    if (text === 'aci' || text === 'oci-archive') return text;
    throw new CliError('usage', `--format: expected aci or oci-archive, got ${JSON.stringify(text)}`);
  });
  return flag;
}
