/** Options of a plugin: what is not there, or null, has its standard value. */
import type { FieldReader } from '../src/abi/json.ts';
import { parseMac } from '../src/native/netlink/ip.ts';
import { badConfiguration } from './failure.ts';
import type { PluginRequest } from './request.ts';

export function flag(fields: FieldReader, key: string, standard = false): boolean {
  return fields.has(key) ? fields.boolean(key) : standard;
}

/** Undefined also for an empty text. */
export function text(fields: FieldReader, key: string): string | undefined {
  const value = fields.has(key) ? fields.text(key) : '';
  return value === '' ? undefined : value;
}

export function number(fields: FieldReader, key: string, min: number, max: number): number | undefined {
  return fields.has(key) ? fields.integer(key, min, max) : undefined;
}

const LARGEST_MTU = 65535;

/** Undefined for the standard, which configurations also write as 0. */
export function mtuOption({ config }: PluginRequest): number | undefined {
  return number(config.fields, 'mtu', 0, LARGEST_MTU) || undefined;
}

export function word<W extends string>(
  fields: FieldReader,
  key: string,
  words: Readonly<Record<W, unknown>>,
  standard: W,
): W {
  const value = text(fields, key) ?? standard;
  const found = (Object.keys(words) as W[]).find((known) => known === value);
  if (found === undefined)
    throw badConfiguration(
      `${fields.where}.${key} is '${value}', not one of ${Object.keys(words).join(', ')}`,
    );
  return found;
}

/** The hardware address that the container is to have: of the runtime before `args`, before CNI_ARGS, before the configuration. */
export function macOption({ config, args }: PluginRequest): string | undefined {
  const mac =
    text(config.runtime, 'mac') ?? text(config.args, 'mac') ?? args.get('MAC') ?? text(config.fields, 'mac');
  if (mac !== undefined) parseMac(mac);
  return mac?.toLowerCase();
}
