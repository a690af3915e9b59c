/** The host's mount and network namespaces, which CNI plugins run in: the pod's supervisor has left them, and kept fds. */
import { HOST_NAMESPACES_ENV, parseHostNamespaces } from '../../abi/host-namespaces.ts';
import { setCloseOnExec } from '../../native/descriptors.ts';
import { environment } from '../../native/engine.ts';
import { File, open_ } from '../../native/files.ts';
import { setNamespace } from '../../native/mounts.ts';
import { networkNamespaceId } from '../../native/network-namespace.ts';
import { chdir } from '../../native/processes.ts';
import type { Step } from '../../native/spawn-steps.ts';

const OWN_MOUNTS = '/proc/self/ns/mnt';
const OWN_NETWORK = '/proc/self/ns/net';

export class HostSide {
  private constructor(
    private readonly mountNamespace: number,
    private readonly networkNamespace: number,
  ) {}

  /** Of a supervisor, as stage0 has handed them on; undefined where it has not. @throws AbiError `bad-arguments` */
  static given(): HostSide | undefined {
    const text = environment(HOST_NAMESPACES_ENV);
    if (text === undefined) return undefined;
    const { mountNamespace, networkNamespace } = parseHostNamespaces(text);
    // No child may have them that does not need them.
    for (const fd of [mountNamespace, networkNamespace]) setCloseOnExec(fd, true);
    return new HostSide(mountNamespace, networkNamespace);
  }

  /** Of a program that has not left them yet. */
  static own(): HostSide {
    const [mounts, network] = [OWN_MOUNTS, OWN_NETWORK].map((path) => File.open(path, open_.readOnly).fd);
    return new HostSide(mounts ?? -1, network ?? -1);
  }

  /** By which a child gets there; its current directory is the root then. */
  get steps(): readonly Step[] {
    return [
      { do: 'enter-namespace', fd: this.networkNamespace, kinds: ['network'] },
      { do: 'enter-namespace', fd: this.mountNamespace, kinds: ['mount'] },
    ];
  }

  /** Which network namespace it is. */
  get netns(): string {
    return networkNamespaceId(`/proc/self/fd/${this.networkNamespace}`);
  }

  /** Does something in the host's network. */
  inNetwork<T>(action: () => T): T {
    using own = File.open(OWN_NETWORK, open_.readOnly);
    setNamespace(this.networkNamespace, 'network');
    try {
      return action();
    } finally {
      setNamespace(own.fd, 'network');
    }
  }

  /** Does something with the host's files. Whatever it opens stays open. */
  inMounts<T>(action: () => T): T {
    using own = File.open(OWN_MOUNTS, open_.readOnly);
    using directory = File.open('.', open_.path | open_.directory);
    setNamespace(this.mountNamespace, 'mount');
    try {
      return action();
    } finally {
      // A change of namespace leads to its root, too.
      setNamespace(own.fd, 'mount');
      chdir(directory.fd);
    }
  }
}
