import { access } from '../../native/paths.ts';
import { statIfPresent } from '../../native/stat.ts';
import { CNI_ERROR, CniError } from '../../net/cni/errors.ts';

/** The program of a plugin's type, in the first directory that has one. @throws CniError */
export function findPlugin(type: string, directories: readonly string[]): string {
  // The configuration may be one that was recorded: it leads nowhere else all the same.
  if (!/^[^/]+$/.test(type) || type === '.' || type === '..')
    throw new CniError(CNI_ERROR.invalidConfiguration, `'${type}' is no type of a plugin`);
  const path = directories.map((directory) => `${directory}/${type}`).find(isProgram);
  if (path !== undefined) return path;
  throw new CniError(CNI_ERROR.internal, 'there is no such plugin', `looked in ${directories.join(', ')}`);
}

function isProgram(path: string): boolean {
  return statIfPresent(path)?.kind === 'file' && access(path, 'execute');
}
