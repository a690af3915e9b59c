import { AbiError } from '../abi/json.ts';
import { type NetInfo, parseNetInfo } from '../abi/net-info.ts';
import { POD } from '../abi/pod-directory.ts';
import { PodError } from './errors.ts';
import type { Observation } from './observation.ts';

/** The networks that a pod is on; undefined where its stage1 tells of none. Throws PodError `bad-file`. A power cut may have left an empty file. */
export function readNetworks(pod: Observation): readonly NetInfo[] | undefined {
  const text = pod.text(POD.netInfo);
  try {
    return text === undefined || text.trim() === '' ? undefined : parseNetInfo(text);
  } catch (cause) {
    if (!(cause instanceof AbiError || cause instanceof SyntaxError)) throw cause;
    throw new PodError('bad-file', `${POD.netInfo}: ${cause.message}`, { cause });
  }
}
