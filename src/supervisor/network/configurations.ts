/** The networks that are configured on this host: files of `net.d` in the local configuration. */
import { readToEnd } from '../../native/contents.ts';
import { readdir } from '../../native/directories.ts';
import { utf8Decode } from '../../native/engine.ts';
import { unless } from '../../native/errors.ts';
import { File, open_ } from '../../native/files.ts';
import { fstat } from '../../native/stat.ts';
import { NetError } from '../../net/error.ts';
import {
  isNetworkFile,
  LARGEST_NETWORK_FILE,
  type NetworkFile,
  type NetworkList,
  parseNetworkFile,
} from '../../net/network-list.ts';

const DIRECTORY = 'net.d';

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
    const text = textOf(path);
    return text === undefined ? [] : [{ path, text }];
  });
}

/** Undefined for a directory, and for a link to nothing: a fifo would stop the pod, a device fill its memory. */
function textOf(path: string): string | undefined {
  const flags = open_.readOnly | open_.nonBlocking | open_.noControllingTerminal;
  using file = unless(['ENOENT', 'ENOTDIR'], () => File.open(path, flags));
  if (file === undefined) return undefined;
  const { kind } = fstat(file.fd);
  if (kind === 'directory') return undefined;
  if (kind !== 'file') throw new NetError('bad-network', `${path} is not a regular file`);
  const bytes = readToEnd(file.fd, LARGEST_NETWORK_FILE);
  if (bytes !== undefined) return utf8Decode(bytes);
  throw new NetError('bad-network', `${path} has more than ${LARGEST_NETWORK_FILE} bytes`);
}
