/** The networks that are configured on this host: files of `net.d` in the local configuration. */
import { readTextIfPresent } from '../../native/contents.ts';
import { readdir } from '../../native/directories.ts';
import { unless } from '../../native/errors.ts';
import {
  isNetworkFile,
  type NetworkFile,
  type NetworkList,
  parseNetworkFile,
} from '../../net/network-list.ts';

const DIRECTORY = 'net.d';
const LARGEST = 1024 * 1024;

/** By the names of their files. To be called in the host's mount namespace. @throws NetError `bad-network` */
export function readNetworks(localConfig: string): NetworkList[] {
  const files = networkFiles(`${localConfig}/${DIRECTORY}`, isNetworkFile);
  return files.map(({ path, text }) => parseNetworkFile(path, text, pluginFiles));
}

/** More plugins of a list, each in a file of its own. */
function pluginFiles(directory: string): NetworkFile[] {
  return networkFiles(directory, (path) => path.endsWith('.conf'));
}

function networkFiles(directory: string, isWanted: (path: string) => boolean): NetworkFile[] {
  const names = unless(['ENOENT', 'ENOTDIR'], () => readdir(directory)) ?? [];
  const paths = names.sort().map((name) => `${directory}/${name}`);
  return paths.filter(isWanted).flatMap((path) => {
    const text = readTextIfPresent(path, LARGEST);
    return text === undefined ? [] : [{ path, text }];
  });
}
