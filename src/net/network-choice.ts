/** Which networks a pod gets, and which interface is of which. */
import { NetError } from './error.ts';
import type { NetRequest, RequestedNetwork } from './net-request.ts';
import { BUILT_IN_NETWORKS, type NetworkList } from './network-list.ts';

export interface ChosenNetwork {
  readonly list: NetworkList;
  /** Of the request: `K=V;K=V`. */
  readonly args: string;
  /** `eth0` and so on. */
  readonly ifName: string;
}

export interface NetworkChoice {
  readonly chosen: readonly ChosenNetwork[];
  /** What whoever starts the pod should know: which file counts where there are several of a name. */
  readonly remarks: readonly string[];
}

/**
 * `local` are the networks of `net.d`, by the names of their files. Interfaces come in the order of the request, and for `all` in
 * that of the files, the built-in networks last.
 * @throws NetError `not-found`
 */
export function chooseNetworks(request: NetRequest, local: readonly NetworkList[]): NetworkChoice {
  if (request.kind === 'none' || request.kind === 'host') return { chosen: [], remarks: [] };
  const { known, remarks } = mergeNetworks(local);
  const requested = request.kind === 'all' ? [...known.keys()].map(withoutArgs) : request.networks;
  const missing = requested.filter(({ name }) => !known.has(name)).map(({ name }) => name);
  if (missing.length > 0) throw new NetError('not-found', `networks not found: ${missing.join(', ')}`);
  const names = new Set(requested.map(({ name }) => name));
  return {
    chosen: requested.flatMap(({ name, args }, index) => {
      const list = known.get(name);
      return list === undefined ? [] : [{ list, args, ifName: `eth${index}` }];
    }),
    remarks: remarks.flatMap(({ name, text }) => (names.has(name) ? [text] : [])),
  };
}

function withoutArgs(name: string): RequestedNetwork {
  return { name, args: '' };
}

interface Remark {
  readonly name: string;
  readonly text: string;
}

/** By name. Of several files with one name the first counts, and any counts before what is built in. */
function mergeNetworks(local: readonly NetworkList[]): {
  readonly known: ReadonlyMap<string, NetworkList>;
  readonly remarks: readonly Remark[];
} {
  const known = new Map<string, NetworkList>();
  const remarks: Remark[] = [];
  for (const list of local) {
    const { name, source } = list;
    const quoted = JSON.stringify(name);
    if (known.has(name)) {
      remarks.push({ name, text: `${quoted} network already defined, ignoring ${source}` });
      continue;
    }
    if (BUILT_IN_NETWORKS.some((builtIn) => builtIn.name === name))
      remarks.push({ name, text: `overriding ${quoted} network with ${source}` });
    known.set(name, list);
  }
  for (const list of BUILT_IN_NETWORKS) if (!known.has(list.name)) known.set(list.name, list);
  return { known, remarks };
}
