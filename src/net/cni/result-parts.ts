/** Parts that results and configurations share, out of JSON that somebody else wrote. */
import { FieldReader } from '../../abi/json.ts';
import type { Dns, ResultInterface, ResultIp, ResultRoute } from './result.ts';

const MANY = 4096;
const TEXT = 4096;
const ADDRESS = 64;
const U32 = 2 ** 32 - 1;

/** Fields that are there, of those that a table names with how each is read. */
type Readers<T> = { readonly [K in keyof T]-?: (fields: FieldReader, key: string) => T[K] };

function present<T extends object>(fields: FieldReader, readers: Readers<T>): Partial<T> {
  const found: Partial<T> = {};
  for (const key in readers) if (isGiven(fields, key)) found[key] = readers[key](fields, key);
  return found;
}

/** Go's programs write empty texts for what is not there. */
function isGiven(fields: FieldReader, key: string): boolean {
  return fields.has(key) && fields.raw(key) !== '';
}

const text = (fields: FieldReader, key: string) => fields.text(key, TEXT);
const address = (fields: FieldReader, key: string) => fields.text(key, ADDRESS);
const number = (fields: FieldReader, key: string) => fields.integer(key, 0, U32);
const texts = (fields: FieldReader, key: string) => fields.texts(key, MANY);

export function parseDns(value: unknown, where: string): Dns {
  return present<Required<Dns>>(new FieldReader(value, where), {
    nameservers: texts,
    domain: text,
    search: texts,
    options: texts,
  });
}

export function parseRoute(value: unknown, where: string): ResultRoute {
  const fields = new FieldReader(value, where);
  const rest = present<Required<Omit<ResultRoute, 'dst'>>>(fields, {
    gw: address,
    mtu: number,
    advmss: number,
    priority: number,
    table: number,
    scope: number,
  });
  return { dst: fields.text('dst', ADDRESS), ...rest };
}

export function parseIp(value: unknown, where: string): ResultIp {
  const fields = new FieldReader(value, where);
  const rest = present<Required<Omit<ResultIp, 'address'>>>(fields, { gateway: address, interface: number });
  return { address: fields.text('address', ADDRESS), ...rest };
}

export function parseInterface(value: unknown, where: string): ResultInterface {
  const fields = new FieldReader(value, where);
  const rest = present<Required<Omit<ResultInterface, 'name'>>>(fields, {
    mac: address,
    mtu: number,
    sandbox: text,
    socketPath: text,
    pciID: text,
  });
  return { name: fields.text('name', ADDRESS), ...rest };
}

/** A list that may be missing, or null as Go writes an empty one. */
export function parseList<T>(
  fields: FieldReader,
  key: string,
  item: (value: unknown, where: string) => T,
): readonly T[] {
  return fields.has(key) ? fields.list(key, MANY, item) : [];
}
