import type { ImageSummary } from '../stage0/images.ts';
import { formatBytes } from './byte-size.ts';
import { CliError } from './error.ts';
import { shortImageId } from './image-id.ts';
import type { JsonValue } from './json.ts';
import { printable } from './printable.ts';
import { formatTable } from './table.ts';
import { absoluteTime, relativeTime } from './time.ts';

/** The fields of `rkt image list`, in their order. */
export const IMAGE_FIELDS = ['id', 'name', 'size', 'importtime', 'lastused'] as const;
export type ImageField = (typeof IMAGE_FIELDS)[number];

export interface ImageTableStyle {
  readonly fields: readonly ImageField[];
  readonly full: boolean;
  readonly legend: boolean;
}

interface Column {
  readonly legend: string;
  readonly jsonKey: string;
  readonly json: (image: ImageSummary) => JsonValue;
  readonly text: (image: ImageSummary, full: boolean) => string;
  readonly value: (image: ImageSummary) => string | number;
}

const COLUMNS: Readonly<Record<ImageField, Column>> = {
  id: {
    legend: 'ID',
    jsonKey: 'id',
    json: ({ id }) => id,
    text: ({ id }, full) => (full ? id : shortImageId(id, 12)),
    value: ({ id }) => id,
  },
  name: {
    legend: 'NAME',
    jsonKey: 'name',
    json: ({ name }) => name,
    // A version may be any text.
    text: ({ name }) => printable(name),
    value: ({ name }) => name,
  },
  size: {
    legend: 'SIZE',
    jsonKey: 'size',
    json: ({ size }) => size,
    text: ({ size }, full) => (full ? `${size}` : formatBytes(size)),
    value: ({ size }) => size,
  },
  importtime: {
    legend: 'IMPORT TIME',
    jsonKey: 'import_time',
    json: ({ importTime }) => nanoseconds(importTime),
    text: ({ importTime }, full) => timeText(importTime, full),
    value: ({ importTime }) => importTime,
  },
  lastused: {
    legend: 'LAST USED',
    jsonKey: 'last_used_time',
    json: ({ lastUsed }) => nanoseconds(lastUsed),
    text: ({ lastUsed }, full) => timeText(lastUsed, full),
    value: ({ lastUsed }) => lastUsed,
  },
};

/** Reads a comma-separated list, in any case as in rkt. Throws CliError `usage`. */
export function parseImageFields(flag: string, text: string): readonly ImageField[] {
  const words = text.toLowerCase().split(',');
  return words.map((word, index) => {
    const field = IMAGE_FIELDS.find((candidate) => candidate === word);
    if (field === undefined) {
      const expected = IMAGE_FIELDS.join(', ');
      throw new CliError('usage', `--${flag}: unknown field ${JSON.stringify(word)}, expected ${expected}`);
    }
    if (words.indexOf(word) < index) throw new CliError('usage', `--${flag}: field ${word} given twice`);
    return field;
  });
}

/** By the first field, where that is equal by the next; in the end by id, so that the order is always the same. */
export function sortImages(
  images: readonly ImageSummary[],
  fields: readonly ImageField[],
  order: 'asc' | 'desc',
): ImageSummary[] {
  const sign = order === 'asc' ? 1 : -1;
  return images.toSorted((a, b) => {
    const field = [...fields, 'id' as const].find(
      (name) => COLUMNS[name].value(a) !== COLUMNS[name].value(b),
    );
    if (field === undefined) return 0;
    return COLUMNS[field].value(a) < COLUMNS[field].value(b) ? -sign : sign;
  });
}

export function imageTable(images: readonly ImageSummary[], style: ImageTableStyle): string {
  const legend = style.fields.map((field) => COLUMNS[field].legend);
  const rows = images.map((image) => style.fields.map((field) => COLUMNS[field].text(image, style.full)));
  const table = style.legend ? [legend, ...rows] : rows;
  return table.length === 0 ? '\n' : formatTable(table);
}

/** In JSON ids, times and sizes are always whole, and the fields in rkt's order. */
export function imageJson(image: ImageSummary, fields: readonly ImageField[]): JsonValue {
  const keys = JSON_ORDER.filter((field) => fields.includes(field));
  return Object.fromEntries(keys.map((field) => [COLUMNS[field].jsonKey, COLUMNS[field].json(image)]));
}

const JSON_ORDER: readonly ImageField[] = ['id', 'name', 'importtime', 'lastused', 'size'];

function timeText(milliseconds: number, full: boolean): string {
  const time = nanoseconds(milliseconds);
  return full ? absoluteTime(time) : relativeTime(time);
}

function nanoseconds(milliseconds: number): bigint {
  return BigInt(Math.round(milliseconds * 1000)) * 1000n;
}
