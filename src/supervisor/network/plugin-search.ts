import { access } from '../../native/paths.ts';
import { statIfPresent } from '../../native/stat.ts';
import { CNI_ERROR, CniError } from '../../net/cni/errors.ts';
import type { NetworkList } from '../../net/network-list.ts';
import { SupervisorError } from '../error.ts';

/** The program of a plugin's type, in the first directory that has one. @throws CniError */
export function findPlugin(type: string, directories: readonly string[]): string {
  // The configuration may be one that was recorded: it leads nowhere else all the same.
  if (!/^[^/]+$/.test(type) || type === '.' || type === '..')
    throw new CniError(CNI_ERROR.invalidConfiguration, `'${type}' is no type of a plugin`);
  const path = directories.map((directory) => `${directory}/${type}`).find(isProgram);
  if (path !== undefined) return path;
  throw new CniError(CNI_ERROR.internal, 'there is no such plugin', `looked in ${directories.join(', ')}`);
}

/**
 * Of networks that are about to be set up: nobody could undo what the plugins before a missing one have made, as `DEL` calls all of them.
 * @throws SupervisorError `network-failed`
 */
export function requirePlugins(networks: readonly NetworkList[], directories: readonly string[]): void {
  for (const { name, plugins } of networks)
    for (const type of plugins.flatMap(({ type, ipam }) => [type, typeOfIpam(ipam)])) {
      if (typeof type !== 'string') continue;
      try {
        findPlugin(type, directories);
      } catch (cause) {
        if (!(cause instanceof CniError)) throw cause;
        const details = cause.details === '' ? '' : `: ${cause.details}`;
        const message = `network ${name}: plugin ${type}: ${cause.message}${details}`;
        throw new SupervisorError('network-failed', message, { cause });
      }
    }
}

/** Who gives addresses is called by the plugin that makes the interface. */
function typeOfIpam(ipam: unknown): unknown {
  return ipam !== null && typeof ipam === 'object' && 'type' in ipam ? ipam.type : undefined;
}

function isProgram(path: string): boolean {
  return statIfPresent(path)?.kind === 'file' && access(path, 'execute');
}
