/** Results as every version of the specification writes them. */
import { FieldReader, type JsonObject } from '../../abi/json.ts';
import { CNI_ERROR, CniError } from './errors.ts';
import { type CniResult, isV6, type ResultIp, type ResultRoute } from './result.ts';
import { parseDns, parseInterface, parseIp, parseList, parseRoute } from './result-parts.ts';
import { type CniVersion, isAtLeast } from './versions.ts';

/** One line of JSON. Versions before 0.3.0 know one address of each family; more cannot be said in them. */
export function formatResult(result: CniResult, version: CniVersion): string {
  return JSON.stringify(resultValue(result, version));
}

/** The same, to be part of something else. @throws CniError for what the version has no words for */
export function resultValue(result: CniResult, version: CniVersion): JsonObject {
  if (!isAtLeast(version, '0.3.0')) return oldValue(result, version);
  const isNewest = isAtLeast(version, '1.1.0');
  const interfaces = result.interfaces.map(({ name, mac, sandbox, mtu, socketPath, pciID }) => ({
    name,
    mac,
    sandbox,
    ...(isNewest ? { mtu, socketPath, pciID } : {}),
  }));
  return {
    cniVersion: version,
    ...unlessEmpty('interfaces', interfaces),
    ...unlessEmpty(
      'ips',
      result.ips.map((ip) => ipValue(ip, version)),
    ),
    ...unlessEmpty<ResultRoute>('routes', isNewest ? result.routes : result.routes.map(plainRoute)),
    dns: result.dns,
  };
}

function ipValue({ interface: index, address, gateway }: ResultIp, version: CniVersion): JsonObject {
  const family = isAtLeast(version, '1.0.0') ? {} : { version: isV6(address) ? '6' : '4' };
  return { ...family, interface: index, address, gateway };
}

function oldValue({ ips, routes, dns }: CniResult, cniVersion: CniVersion): JsonObject {
  const part = (wanted: boolean): JsonObject | undefined => {
    const ip = ips.find(({ address }) => isV6(address) === wanted);
    if (ip === undefined) return undefined;
    const own = routes.filter(({ dst }) => isV6(dst) === wanted).map(plainRoute);
    return { ip: ip.address, gateway: ip.gateway, ...unlessEmpty('routes', own) };
  };
  const [ip4, ip6] = [part(false), part(true)];
  if (ip4 === undefined && ip6 === undefined) {
    const message = `a result without addresses cannot be told in version ${cniVersion}`;
    throw new CniError(CNI_ERROR.incompatibleVersion, message);
  }
  return { cniVersion, ip4, ip6, dns };
}

function plainRoute({ dst, gw }: ResultRoute): ResultRoute {
  return { dst, ...(gw === undefined ? {} : { gw }) };
}

function unlessEmpty<T>(key: string, list: readonly T[]): JsonObject {
  return list.length === 0 ? {} : { [key]: list };
}

/** A result of any version: what it holds tells which. */
export function parseResult(value: unknown, where: string): CniResult {
  const fields = new FieldReader(value, where);
  const dns = fields.has('dns') ? parseDns(fields.raw('dns'), `${where}.dns`) : {};
  if (fields.has('ip4') || fields.has('ip6')) return { interfaces: [], ...oldParts(fields), dns };
  return {
    interfaces: parseList(fields, 'interfaces', parseInterface),
    ips: parseList(fields, 'ips', parseIp),
    routes: parseList(fields, 'routes', parseRoute),
    dns,
  };
}

function oldParts(fields: FieldReader): { ips: ResultIp[]; routes: ResultRoute[] } {
  const parts = ['ip4', 'ip6'].filter((key) => fields.has(key)).map((key) => fields.object(key));
  return {
    ips: parts.map((part) => ({
      address: part.text('ip'),
      ...(part.has('gateway') ? { gateway: part.text('gateway') } : {}),
    })),
    routes: parts.flatMap((part) => parseList(part, 'routes', parseRoute)),
  };
}
