/** What `--net` asks for. */
import { isCniName } from './cni/configuration.ts';
import { NetError } from './error.ts';

export type NetRequest =
  | { readonly kind: 'none' }
  | { readonly kind: 'host' }
  /** Every network that is configured, and the built-in ones. */
  | { readonly kind: 'all' }
  | { readonly kind: 'listed'; readonly networks: readonly RequestedNetwork[] };

export interface RequestedNetwork {
  readonly name: string;
  /** `K=V;K=V`, as CNI_ARGS has it; empty for none. */
  readonly args: string;
}

/** What a pod gets that has not been told. */
const DEFAULT_NETWORK = 'default';

/** Words that are no network's name: each stands alone, and takes no arguments. */
const WORDS = ['none', 'host', 'all'] as const;
type Word = (typeof WORDS)[number];

/** `none`, `host`, `all`, or `NAME[:K=V;K=V],...`; nothing is the default network. @throws NetError `bad-request` */
export function parseNetRequest(text: string): NetRequest {
  const networks = (text === '' ? DEFAULT_NETWORK : text).split(',').map(parseNetwork);
  const special = networks.find(({ name }) => isWord(name));
  if (special !== undefined && isWord(special.name)) {
    if (networks.length > 1) throw bad(text, `${special.name} stands alone`);
    if (special.args !== '') throw bad(text, `${special.name} takes no arguments`);
    return { kind: special.name };
  }
  const names = networks.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw bad(text, `network ${JSON.stringify(twice)} is given twice`);
  return { kind: 'listed', networks };
}

/** Inverse of `parseNetRequest`. */
export function formatNetRequest(request: NetRequest): string {
  if (request.kind !== 'listed') return request.kind;
  return request.networks.map(({ name, args }) => (args === '' ? name : `${name}:${args}`)).join(',');
}

/** Addresses of IPv6 have colons, so only the first one ends the name. */
function parseNetwork(text: string): RequestedNetwork {
  const colon = text.indexOf(':');
  const name = colon < 0 ? text : text.slice(0, colon);
  const args = colon < 0 ? '' : text.slice(colon + 1);
  if (!isCniName(name)) throw bad(text, `${JSON.stringify(name)} is no name of a network`);
  const wrong = args === '' ? undefined : args.split(';').find((pair) => !ARGUMENT.test(pair));
  if (wrong !== undefined) throw bad(text, `${JSON.stringify(wrong)} is no argument such as IP=10.1.2.3`);
  return { name, args };
}

/** It goes through an environment, and into messages. */
const ARGUMENT = /^[A-Za-z0-9_.-]+=[^\x00-\x1f\x7f]*$/;

function isWord(name: string): name is Word {
  return WORDS.some((word) => word === name);
}

function bad(text: string, problem: string): NetError {
  return new NetError('bad-request', `--net=${text}: ${problem}`);
}

/**
 * CNI_ARGS of a network's plugins. All of a chain get the same, though each knows only its own: the one that makes the interface
 * would refuse the address that is meant for the one that gives addresses.
 */
export function cniArgs(args: string): string {
  if (args === '' || /(^|;)IgnoreUnknown=/.test(args)) return args;
  return `IgnoreUnknown=1;${args}`;
}
