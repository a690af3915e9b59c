import { parseList } from '../../src/net/cni/result-parts.ts';
import { badConfiguration } from '../failure.ts';
import type { PluginRequest } from '../request.ts';

/**
 * The addresses that whoever starts the container wants it to have: by CNI_ARGS, `args.cni.ips`, and the capability `ips`. A runtime may
 * say the same in more than one way.
 */
export function askedAddresses({ args, config }: PluginRequest): string[] {
  const variable = (args.get('IP') ?? '').split(',').filter((text) => text !== '');
  const asked = [config.args, config.runtime].flatMap((fields) => parseList(fields, 'ips', asText));
  return [...new Set([...variable, ...asked])];
}

function asText(value: unknown, where: string): string {
  if (typeof value !== 'string') throw badConfiguration(`${where} is no address`);
  return value;
}
