/** `--net=host` of a machine: what of the host decides on it. Runs in the host's network namespace. */
import { LOCKS_OF_POD, POD, PORTS_LOCK } from '../src/abi/pod-directory.ts';
import { formatPublishedPorts, type PublishedPort, parsePublishedPorts } from '../src/abi/published-ports.ts';
import { readText, readTextIfPresent } from '../src/native/contents.ts';
import { readdir } from '../src/native/directories.ts';
import { unless } from '../src/native/errors.ts';
import { File, lock, open, open_, tryLock } from '../src/native/files.ts';
import { isPortFree } from '../src/native/inet-sockets.ts';
import { listRoutes } from '../src/native/netlink/routes.ts';
import { Netlink } from '../src/native/netlink/socket.ts';
import { mkdirAll } from '../src/native/paths.ts';
import { parseResolvConf } from '../src/net/cni/resolv-conf.ts';
import type { Dns } from '../src/net/cni/result.ts';
import { overlaps } from '../src/net/published-ports.ts';
import { runBounded } from '../src/supervisor/bounded-run.ts';
import type { PodApp } from '../src/supervisor/plan/pod.ts';
import { record } from '../src/supervisor/record.ts';
import type { Report } from '../src/supervisor/report.ts';
import { KvmError } from './error.ts';
import {
  describe,
  type Forward,
  type HostNetwork,
  type HostNetworkFacts,
  hasUserNetworking,
  planHostNetwork,
  publishedPort,
  wantedForwards,
} from './host-network.ts';
import { occupiedBy, reachesOthersByV6 } from './host-routes.ts';
import type { MachineNetwork } from './interfaces.ts';
import { findPrograms } from './programs.ts';

const PROBE_MILLISECONDS = 10_000;
const PORTS_FILE_MAX = 1024 * 1024;
const DIRECTORY = open_.readOnly | open_.directory | open_.noFollow;
const GONE = ['ENOENT', 'ENOTDIR', 'ELOOP'];

export interface JoinedHost extends MachineNetwork {
  readonly dns: Dns;
  /** That the guest reaches the host by. */
  readonly hostAddress: string;
}

/** Before the supervisor leaves for the pod's own namespace. @throws KvmError `unsupported` */
export function joinHostNetwork(apps: readonly PodApp[], report: Report): JoinedHost {
  requireUserNetworking(findPrograms(false).qemu);
  const wanted = wantedForwards(apps);
  const network = wanted.length === 0 ? planHostNetwork([], readFacts([])) : takePorts(wanted);
  for (const remark of network.remarks) report.warn(remark);
  if (network.forwards.length > 0)
    report.say(`on the host's addresses: ${network.forwards.map(describe).join(', ')}`);
  const { plan, qemuArguments, dns, resolvConf, hostAddress } = network;
  const namespace = open('/proc/self/ns/net', open_.readOnly);
  return { plan, interfaces: 0, qemuArguments, fds: [], dns, hostAddress, host: { namespace, resolvConf } };
}

/** Nobody else looks for ports meanwhile: of two pods that want the same ones at once, the second sees that the first has them. */
function takePorts(wanted: readonly Forward[]): HostNetwork {
  mkdirAll(LOCKS_OF_POD, 0o750);
  using file = File.open(`${LOCKS_OF_POD}/${PORTS_LOCK}`, open_.readWrite | open_.create, 0o660);
  lock(file.fd, 'exclusive');
  const network = planHostNetwork(wanted, readFacts(wanted));
  if (network.forwards.length > 0)
    record(POD.ports, formatPublishedPorts(network.forwards.map(publishedPort)), 0o640);
  return network;
}

/** A QEMU that does not answer tells why when it is started. */
function requireUserNetworking(qemu: string): void {
  const asked = runBounded(qemu, ['-display', 'none', '-netdev', 'help'], PROBE_MILLISECONDS);
  if (asked.kind === 'succeeded' && !hasUserNetworking(asked.said))
    throw new KvmError(
      'unsupported',
      `--net=host: ${qemu} was built without user-mode networking (libslirp)`,
    );
}

function readFacts(wanted: readonly Forward[]): HostNetworkFacts {
  using netlink = new Netlink();
  const routes = listRoutes(netlink);
  return {
    occupied: occupiedBy(routes),
    ipv6: reachesOthersByV6(routes),
    dns: parseResolvConf(unless(['ENOENT'], () => readText('/etc/resolv.conf')) ?? ''),
    unprivilegedPorts: Number(readText('/proc/sys/net/ipv4/ip_unprivileged_port_start')),
    busy: busyOf(wanted),
  };
}

/** A port that leads to another pod has no socket on the host. */
function busyOf(wanted: readonly Forward[]): readonly Forward[] {
  const others = wanted.length === 0 ? [] : publishedByOthers();
  const isPublished = ({ protocol, port }: Forward) =>
    others.some((one) => overlaps(one, { protocol, hostPort: port, count: 1 }));
  return wanted.filter((forward) => isPublished(forward) || !isPortFree(forward.protocol, forward.port));
}

/** By the pods that run, of this data directory: their directories are beside ours. */
function publishedByOthers(): readonly PublishedPort[] {
  return readdir('..').flatMap((name) => {
    using directory = unless(GONE, () => File.open(`../${name}`, DIRECTORY));
    const text = directory && readTextIfPresent(POD.ports, PORTS_FILE_MAX, directory.fd);
    // Ours is locked as well, but has none by now.
    if (directory === undefined || text === undefined || tryLock(directory.fd, 'shared')) return [];
    return parsePublishedPorts(text);
  });
}
