/** Isolators of a pod as a whole, as flags ask for them. */
import {
  type Isolator,
  type IsolatorOf,
  type Quantity,
  type ResourceName,
  wholeUnits,
} from '../appc/index.ts';
import { Stage0Error } from './errors.ts';
import { quantity } from './isolator-request.ts';

/** As the flags have them. */
export interface PodIsolatorRequest {
  /** `NAME=VALUE`. */
  readonly sysctls: readonly string[];
  readonly blockBandwidth?: string;
  readonly blockIops?: string;
  readonly networkBandwidth?: string;
}

/** What is less has been meant otherwise: `10m` is a hundredth of a byte. */
const LEAST_BYTES = 4096;

/** Throws Stage0Error `bad-request`. */
export function podIsolators(request: PodIsolatorRequest): readonly Isolator[] {
  const { sysctls, blockBandwidth, blockIops, networkBandwidth } = request;
  const bytes = { least: LEAST_BYTES, unit: 'bytes a second' };
  const operations = { least: 1, unit: 'operations a second' };
  return [
    ...(sysctls.length === 0 ? [] : [requestedSysctls(sysctls)]),
    ...rate('resource/block-bandwidth', '--block-bandwidth', blockBandwidth, bytes),
    ...rate('resource/block-iops', '--block-iops', blockIops, operations),
    ...rate('resource/network-bandwidth', '--network-bandwidth', networkBandwidth, bytes),
  ];
}

/** Settings of the pod's kernel. Throws Stage0Error `bad-request`. */
function requestedSysctls(texts: readonly string[]): IsolatorOf<'sysctl'> {
  const entries = texts.map((text) => {
    const [name = '', value] = text.split(/=(.*)/s);
    // The kernel takes no notice of nothing, and of no more than the first line.
    if (name !== '' && value !== undefined && /^[^\n\0]+$/.test(value)) return [name, value] as const;
    throw new Stage0Error('bad-request', `--sysctl: ${JSON.stringify(text)} is not NAME=VALUE`);
  });
  return { kind: 'sysctl', name: 'os/unix/sysctl', value: Object.fromEntries(entries) };
}

function rate(
  name: ResourceName,
  flag: string,
  text: string | undefined,
  { least, unit }: { readonly least: number; readonly unit: string },
): Isolator[] {
  const limit: Quantity | undefined = quantity(flag, text);
  if (limit === undefined) return [];
  if (wholeUnits(limit) < least)
    throw new Stage0Error('bad-request', `${flag}: ${limit} is less than ${least} ${unit}`);
  return [{ kind: 'resource', name, value: { default: true, limit } }];
}
