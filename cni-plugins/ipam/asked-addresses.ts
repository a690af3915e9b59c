import { parseList } from '../../src/net/cni/result-parts.ts';
import { badConfiguration } from '../failure.ts';
import type { PluginRequest } from '../request.ts';

/** The addresses that whoever starts the container wants it to have: by CNI_ARGS, `args.cni.ips`, and the capability `ips`. */
export function askedAddresses({ args, config }: PluginRequest): string[] {
  const variable = (args.get('IP') ?? '').split(',').filter((text) => text !== '');
  return [...variable, ...parseList(config.args, 'ips', asText), ...parseList(config.runtime, 'ips', asText)];
}

function asText(value: unknown, where: string): string {
  if (typeof value !== 'string') throw badConfiguration(`${where} is no address`);
  return value;
}
