/**
 * Has the plugins of networks take away what no pod has any more (GC of the CNI specification, section 2): what is left of pods whose
 * directories have gone, or of others who used the same networks.
 */
import { accessSync, constants, statSync } from 'node:fs';
import { join } from 'node:path';
import { AbiError, type JsonObject } from '../abi/json.ts';
import { POD } from '../abi/pod-directory.ts';
import { parseAttachmentRecord } from '../net/attachment-record.ts';
import type { Attachment } from '../net/cni/configuration.ts';
import { parseError } from '../net/cni/errors.ts';
import { isAtLeast } from '../net/cni/versions.ts';
import type { NetworkList } from '../net/network-list.ts';
import { pluginInput } from '../net/plugin-input.ts';
import { exclusive } from '../os/lock.ts';
import { type PodReference, podsDirectory } from '../pod/directory.ts';
import { listPods } from '../pod/listing.ts';
import { observe } from '../pod/observation.ts';
import type { Phase } from '../pod/state.ts';
import { Stage0Error } from './errors.ts';
import { type Host, networksLock } from './host.ts';
import { pluginDirectories } from './installation.ts';
import { networkLists } from './networks.ts';

export type NetworkGcEvent =
  | { readonly kind: 'network-collected'; readonly network: string }
  | { readonly kind: 'network-failed'; readonly network: string; readonly error: unknown };

/** The first version whose plugins know of it. */
const SINCE = '1.1.0';
const LIMIT_MILLISECONDS = 30_000;
/** Where pods are that have records, in the order in which they move: none is passed over. */
const PHASES: readonly Phase[] = ['run', 'exited-garbage'];

interface Valid extends Attachment {
  readonly network: string;
}

/** Of the networks that are configured now. `cniPath`: CNI_PATH of the caller. */
export async function collectNetworks(
  host: Host,
  cniPath: string | undefined,
  report: (event: NetworkGcEvent) => void,
): Promise<void> {
  // Nobody is attached meanwhile: what is made would be taken away again.
  using _ = await exclusive(networksLock(host));
  const valid = validAttachments(host);
  const directories = pluginDirectories(host.localConfig, cniPath);
  const lists = networkLists(host).filter((list) => !list.disableGc && isAtLeast(list.cniVersion, SINCE));
  for (const list of lists) {
    try {
      const own = valid.filter(({ network }) => network === list.name);
      for (const plugin of list.plugins) await callGc(list, plugin, own, directories);
      report({ kind: 'network-collected', network: list.name });
    } catch (error) {
      report({ kind: 'network-failed', network: list.name, error });
    }
  }
}

/** What pods have, or are about to have taken away. Throws Stage0Error: what is not known to be there would be taken away. */
function validAttachments({ dataDirectory }: Host): Valid[] {
  return PHASES.flatMap((phase) => listPods(podsDirectory(dataDirectory), [phase])).flatMap(attachmentsOf);
}

function attachmentsOf(reference: PodReference): Valid[] {
  using pod = observe(reference);
  const files = pod?.names(POD.networks).filter((name) => name.endsWith('.json')) ?? [];
  return files.flatMap((file) => {
    const text = pod?.text(`${POD.networks}/${file}`);
    if (!text?.trim()) return [];
    try {
      const { list, ifName } = parseAttachmentRecord(text);
      return [{ network: list.name, containerId: reference.uuid, ifName }];
    } catch (cause) {
      if (!(cause instanceof AbiError || cause instanceof SyntaxError)) throw cause;
      const what = `pod ${JSON.stringify(reference.uuid)}: ${POD.networks}/${file}: ${cause.message}`;
      throw new Stage0Error('bad-tree', what, { cause });
    }
  });
}

async function callGc(
  list: NetworkList,
  plugin: JsonObject,
  validAttachments: readonly Attachment[],
  directories: readonly string[],
): Promise<void> {
  const { type } = plugin;
  const path = directories.map((directory) => join(directory, String(type))).find(isProgram);
  if (path === undefined) throw new Stage0Error('bad-network', `there is no plugin ${String(type)}`);
  const { run } = await import('../os/run.ts');
  const { failed, stdout, shortMessage } = await run(path, [], {
    input: JSON.stringify(pluginInput(list, plugin, { validAttachments })),
    env: { CNI_COMMAND: 'GC', CNI_PATH: directories.join(':') },
    timeout: LIMIT_MILLISECONDS,
    reject: false,
  });
  if (!failed) return;
  const told = parseError(stdout);
  const reason =
    told === undefined ? shortMessage : `${told.message} (code ${told.code}) ${told.details}`.trim();
  throw new Stage0Error('bad-network', `plugin ${String(type)}: GC: ${reason}`);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
