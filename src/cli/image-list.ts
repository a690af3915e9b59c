import type { Command } from 'commander';
import { openHost } from '../stage0/host.ts';
import { type ImageSummary, listImages } from '../stage0/images.ts';
import { CliError } from './error.ts';
import { boolean, choice, Flag } from './flag.ts';
import { formatFlag, jsonText, type OutputFormat } from './format-flag.ts';
import { type GlobalValues, hostOptions } from './global-flags.ts';
import {
  IMAGE_FIELDS,
  type ImageField,
  type ImageTableStyle,
  imageJson,
  imageTable,
  parseImageFields,
  sortImages,
} from './image-table.ts';
import { complain, print } from './output.ts';
import { subcommand } from './subcommand.ts';

interface Values extends GlobalValues {
  readonly fields?: readonly ImageField[];
  readonly sort?: readonly ImageField[];
  readonly order?: 'asc' | 'desc';
  readonly full?: boolean;
  readonly noLegend?: boolean;
  readonly format?: OutputFormat;
}

export function imageListCommand(summary: string): Command {
  return subcommand('image list', summary, [
    fieldsFlag('fields', `columns: ${IMAGE_FIELDS.join(',')}`),
    fieldsFlag('sort', 'sort by these columns (default: importtime)'),
    orderFlag(),
    new Flag('full', boolean, 'whole ids, bytes, absolute times'),
    new Flag('no-legend', boolean, 'no line of column names'),
    formatFlag(),
  ])
    .allowExcessArguments(false)
    .action((values: Values) => {
      const { fields = IMAGE_FIELDS, sort = ['importtime'], order = 'asc', format = 'text' } = values;
      const host = openHost(hostOptions(values));
      const { images, problems } = listImages(host);
      const style = { fields, full: values.full ?? false, legend: values.noLegend !== true };
      print(render(sortImages(images, sort, order), format, style));
      for (const { id, error } of problems) complain(`list: image ${JSON.stringify(id)}`, error, host.debug);
    });
}

function render(images: readonly ImageSummary[], format: OutputFormat, style: ImageTableStyle): string {
  if (format === 'text') return imageTable(images, style);
  return jsonText(images.length === 0 ? null : images.map((image) => imageJson(image, style.fields)), format);
}

function fieldsFlag(name: string, description: string): Flag {
  const flag = new Flag(name, choice('FIELD,...', IMAGE_FIELDS), description);
  flag.argParser((text: string) => parseImageFields(name, text));
  return flag;
}

function orderFlag(): Flag {
  const flag = new Flag('order', choice('ORDER', ['asc', 'desc']), 'asc or desc (default: asc)');
  flag.argParser((text: string) => {
    if (text === 'asc' || text === 'desc') return text;
    throw new CliError('usage', `--order: expected asc or desc, got ${JSON.stringify(text)}`);
  });
  return flag;
}
