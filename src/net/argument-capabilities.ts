/** What the arguments of a network say that its plugins ask for as capabilities. */
import { AppcError } from '../appc/errors.ts';
import { parseQuantity, wholeUnits } from '../appc/quantity.ts';
import { NetError } from './error.ts';
import type { ChosenNetwork } from './network-choice.ts';
import { type Bandwidth, declaresCapability, type RuntimeConfig } from './plugin-input.ts';

/** Bits of the network's own, for what a plugin of `bandwidth` is told. */
const RATES = {
  INGRESS_RATE: 'ingressRate',
  INGRESS_BURST: 'ingressBurst',
  EGRESS_RATE: 'egressRate',
  EGRESS_BURST: 'egressBurst',
} as const satisfies Readonly<Record<string, keyof Bandwidth>>;

/**
 * `IP` and `MAC` are in CNI_ARGS as well, for plugins that read them there; several addresses only go as a capability. Limits
 * go no other way, and one without effect is refused.
 * @throws NetError `bad-request`
 */
export function argumentCapabilities(network: ChosenNetwork): RuntimeConfig {
  const pairs = network.args === '' ? [] : network.args.split(';').map(parsePair);
  const valuesOf = (key: string) => pairs.filter((pair) => pair.key === key).map(({ value }) => value);
  const ips = valuesOf('IP');
  const mac = valuesOf('MAC').at(-1);
  const bandwidth = parseBandwidth(network, pairs);
  if (ips.length > 1) requireCapability(network, 'ips', 'IP is given more than once');
  if (bandwidth !== undefined) requireCapability(network, 'bandwidth', 'a limit is given');
  return {
    ...(ips.length === 0 ? {} : { ips }),
    ...(mac === undefined ? {} : { mac }),
    ...(bandwidth === undefined ? {} : { bandwidth }),
  };
}

interface Pair {
  readonly key: string;
  readonly value: string;
}

function parsePair(text: string): Pair {
  const at = text.indexOf('=');
  return { key: text.slice(0, at), value: text.slice(at + 1) };
}

function parseBandwidth(network: ChosenNetwork, pairs: readonly Pair[]): Bandwidth | undefined {
  const given: { -readonly [K in keyof Bandwidth]: Bandwidth[K] } = {};
  for (const { key, value } of pairs) if (isRate(key)) given[RATES[key]] = parseBits(network, key, value);
  if (Object.keys(given).length === 0) return undefined;
  return {
    ...withBurst(network, 'ingress', given.ingressRate, given.ingressBurst),
    ...withBurst(network, 'egress', given.egressRate, given.egressBurst),
  };
}

function isRate(key: string): key is keyof typeof RATES {
  return Object.hasOwn(RATES, key);
}

/** Some packets at the least, else what goes through in a tenth of a second. */
const SMALLEST_BURST = 320_000;
const LARGEST_BURST = 2 ** 32 - 1;

function withBurst(
  network: ChosenNetwork,
  direction: 'ingress' | 'egress',
  rate: number | undefined,
  given: number | undefined,
): Bandwidth {
  if (rate === undefined && given === undefined) return {};
  const key = direction.toUpperCase();
  if (rate === undefined) throw bad(network, `${key}_BURST without ${key}_RATE`);
  const burst = given ?? Math.min(Math.max(Math.ceil(rate / 10), SMALLEST_BURST), LARGEST_BURST);
  return direction === 'ingress'
    ? { ingressRate: rate, ingressBurst: burst }
    : { egressRate: rate, egressBurst: burst };
}

/** `10M`, `512Ki`: as in isolators. */
function parseBits(network: ChosenNetwork, key: string, value: string): number {
  try {
    const bits = wholeUnits(parseQuantity(value));
    if (bits > 0 && Number.isSafeInteger(bits)) return bits;
  } catch (cause) {
    if (!(cause instanceof AppcError)) throw cause;
  }
  throw bad(network, `${key}=${value} is no number of bits, such as 10M`);
}

function requireCapability(network: ChosenNetwork, capability: string, what: string): void {
  if (declaresCapability(network.list, capability)) return;
  throw bad(network, `${what}, but no plugin of the network has the capability ${capability}`);
}

function bad({ list }: ChosenNetwork, problem: string): NetError {
  return new NetError('bad-request', `network ${list.name}: ${problem}`);
}
