/** The limits that a configuration, or the runtime for one container, asks for. */
import type { FieldReader } from '../../src/abi/json.ts';
import { CNI_ERROR, CniError } from '../../src/net/cni/errors.ts';
import { badConfiguration } from '../failure.ts';
import { number } from '../options.ts';
import type { PluginRequest } from '../request.ts';

const LARGEST_RATE = Number.MAX_SAFE_INTEGER;
const BITS = 8;
/** The kernel's field has 32 bits. */
const LARGEST_BURST_BYTES = 2 ** 32 - 1;

/** Bytes a second, and bytes at once. */
export interface Limit {
  readonly rate: number;
  readonly burst: number;
}

export interface BandwidthLimits {
  /** Of what goes to the container. */
  readonly ingress: Limit | undefined;
  /** Of what comes from it. */
  readonly egress: Limit | undefined;
}

const UNSUPPORTED = ['shapedSubnets', 'unshapedSubnets'];

const OPTIONS = ['ingressRate', 'ingressBurst', 'egressRate', 'egressBurst'];

/** What the network's configuration says counts, and is then all that does: else it is what the runtime says. */
export function bandwidthLimits({ config: { fields, runtime } }: PluginRequest): BandwidthLimits {
  const isRuntimes = !OPTIONS.some((key) => fields.has(key)) && runtime.has('bandwidth');
  const source = isRuntimes ? runtime.object('bandwidth') : fields;
  const unsupported = UNSUPPORTED.find((key) => source.has(key));
  if (unsupported !== undefined)
    throw new CniError(CNI_ERROR.unsupportedField, `bandwidth does not support ${unsupported}`);
  return { ingress: limitOf(source, 'ingress'), egress: limitOf(source, 'egress') };
}

/** In bits, as configurations have it; nothing, or 0, is no limit. */
function limitOf(fields: FieldReader, direction: 'ingress' | 'egress'): Limit | undefined {
  const [rateKey, burstKey] = [`${direction}Rate`, `${direction}Burst`];
  const rate = Math.floor((number(fields, rateKey, 0, LARGEST_RATE) ?? 0) / BITS);
  const burst = Math.floor((number(fields, burstKey, 0, LARGEST_RATE) ?? 0) / BITS);
  if (rate === 0 && burst === 0) return undefined;
  if (rate === 0 || burst === 0)
    throw badConfiguration(`${rateKey} and ${burstKey} go together, of at least ${BITS} bits each`);
  if (burst > LARGEST_BURST_BYTES)
    throw badConfiguration(`${burstKey} is more than ${BITS * LARGEST_BURST_BYTES} bits`);
  return { rate, burst };
}
