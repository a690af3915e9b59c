/** The two network namespaces that a plugin works in: its own, the host's, and the container's. */

import { hasCode } from '../src/native/errors.ts';
import { File, open_ } from '../src/native/files.ts';
import { setNamespace } from '../src/native/mounts.ts';
import { Netlink } from '../src/native/netlink/socket.ts';
import { stat } from '../src/native/stat.ts';
import { CNI_ERROR, CniError } from '../src/net/cni/errors.ts';
import type { PluginRequest } from './request.ts';

const OWN = '/proc/self/ns/net';

/** A container's namespace, held open, with a netlink socket in it. */
export class ContainerNamespace {
  readonly #file: File;
  readonly #own: File;
  readonly path: string;
  readonly netlink: Netlink;

  private constructor(path: string, file: File) {
    this.path = path;
    this.#file = file;
    this.#own = File.open(OWN, open_.readOnly);
    this.netlink = this.inside(() => new Netlink());
  }

  /** Refuses what is no network namespace, and the host's own: a container would take the host's addresses away. */
  static open({ netns }: Pick<PluginRequest, 'netns'>): ContainerNamespace {
    const path = netns ?? '';
    checkDiffers(path);
    return new ContainerNamespace(path, openNamespace(path));
  }

  /** For DEL: undefined where the namespace has gone. */
  static openIfPresent(request: PluginRequest): ContainerNamespace | undefined {
    if (request.netns === undefined) return undefined;
    try {
      return ContainerNamespace.open(request);
    } catch (error) {
      if (error instanceof CniError && error.code === CNI_ERROR.unknownContainer) return undefined;
      throw error;
    }
  }

  get fd(): number {
    return this.#file.fd;
  }

  /** The host's, which links come from. */
  get hostFd(): number {
    return this.#own.fd;
  }

  /** Does something in there: a socket that is opened belongs to it, and /proc/sys/net shows it. */
  inside<T>(action: () => T): T {
    setNamespace(this.#file.fd, 'network');
    try {
      return action();
    } finally {
      setNamespace(this.#own.fd, 'network');
    }
  }

  [Symbol.dispose](): void {
    this.netlink[Symbol.dispose]();
    this.#file[Symbol.dispose]();
    this.#own[Symbol.dispose]();
  }
}

function openNamespace(path: string): File {
  try {
    return File.open(path, open_.readOnly);
  } catch (error) {
    if (!hasCode(error, 'ENOENT', 'ENOTDIR')) throw error;
    const message = `there is no network namespace '${path}'`;
    throw new CniError(CNI_ERROR.unknownContainer, message, '', { cause: error });
  }
}

function checkDiffers(path: string): void {
  using file = openNamespace(path);
  const [given, own] = [stat(`/proc/self/fd/${file.fd}`), stat(OWN)];
  if (given.inode !== own.inode || given.device.minor !== own.device.minor) return;
  const message = `CNI_NETNS '${path}' is the network namespace that the plugin runs in`;
  throw new CniError(CNI_ERROR.invalidNamespace, message);
}
