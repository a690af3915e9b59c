/** What the pod's apps know by name: files over their /etc/resolv.conf and /etc/hosts. */
import type { CoverPlan } from '../../abi/boot-plan.ts';
import type { NameModes } from '../../abi/name-modes.ts';
import type { NetInfo } from '../../abi/net-info.ts';
import { POD } from '../../abi/pod-directory.ts';
import type { RunArguments } from '../../abi/stage1.ts';
import { readText, readTextIfPresent } from '../../native/contents.ts';
import { unless } from '../../native/errors.ts';
import type { Loop } from '../../native/loop.ts';
import { unlink } from '../../native/paths.ts';
import { formatResolvConf, parseResolvConf } from '../../net/cni/resolv-conf.ts';
import { type Dns, hasDns } from '../../net/cni/result.ts';
import { Peers } from '../peers.ts';
import type { Pod } from '../plan/pod.ts';
import { record } from '../record.ts';
import type { Report } from '../report.ts';
import type { Session } from '../session.ts';

const RESOLV_CONF = '/etc/resolv.conf';
const HOSTS = '/etc/hosts';
/** The current directory is the pod's own. */
const PODS = '..';
/** More than such a file has. */
const FILE_MAX = 1024 * 1024;
const MODE = 0o644;

/** What a network says of name servers. */
export interface NetworkDns {
  readonly name: string;
  readonly dns: Dns;
}

export class PodNames {
  readonly #loop: Loop;
  readonly #report: Report;
  readonly #pod: Pod;
  readonly #files: GivenFiles;
  #networks: readonly NetInfo[] = [];
  #dns: readonly NetworkDns[] = [];
  #peers: Peers | undefined;
  #session: Session | undefined;
  #stands = false;

  /** @throws SystemError where a file of the host is asked for that it does not have */
  constructor(loop: Loop, report: Report, { names }: RunArguments, pod: Pod) {
    this.#loop = loop;
    this.#report = report;
    this.#pod = pod;
    this.#files = givenFiles(names);
    if (names.resolver === 'host') for (const line of unreachable(this.#files)) report.warn(line);
  }

  /** Once its networks are up, and before `open`: those that it shares with others, and what those and others say of name servers. */
  join(networks: readonly NetInfo[], dns: readonly NetworkDns[]): void {
    this.#networks = networks;
    this.#dns = dns;
  }

  get covers(): readonly CoverPlan[] {
    return planCovers(this.#files, this.#dns, this.#networks.length > 0);
  }

  /** The lines of other pods by now; what becomes of them the session is told. */
  open(session: Session): string {
    this.#session = session;
    if (this.#networks.length === 0) return '';
    const { uuid, hostname } = this.#pod;
    record(POD.hostname, `${hostname}\n`, 0o640);
    const name = readTextIfPresent(POD.name)?.trimEnd();
    const own = { uuid, name, hostname, networks: this.#networks };
    this.#peers = new Peers(this.#loop, this.#report, { pods: PODS, own }, () => this.#tell());
    return this.#peers.names;
  }

  /** A guest that stands still takes nothing: what it misses would pile up. */
  standStill(stands: boolean): void {
    this.#stands = stands;
    if (!stands) this.#tell();
  }

  /** Before its addresses are given back: nobody is to take them for this pod's. */
  close(): void {
    if (this.#peers === undefined) return;
    // On a disk that takes nothing others see that its process has ended.
    unless(['ENOENT', 'EROFS', 'EIO'], () => unlink(POD.hostname));
    this.#peers.close();
    this.#peers = undefined;
  }

  #tell(): void {
    if (this.#peers === undefined || this.#stands) return;
    this.#session?.send({ type: 'names', names: this.#peers.names });
  }
}

/** A file that somebody outside of the pod says what it is; undefined where nobody does. */
interface GivenFile {
  readonly content: string;
  readonly readOnly: boolean;
}

export interface GivenFiles {
  readonly resolver: GivenFile | undefined;
  /** Whether networks may say it. */
  readonly networksResolve: boolean;
  readonly hosts: GivenFile | undefined;
}

/** @throws SystemError where a file of the host is asked for that it does not have */
export function givenFiles({ resolver, hosts }: NameModes): GivenFiles {
  const given = (mode: NameModes[keyof NameModes], ofHost: string, ofStage0: string) =>
    mode === 'host'
      ? { content: readText(ofHost, FILE_MAX), readOnly: true }
      : mode === 'stage0'
        ? { content: readText(ofStage0, FILE_MAX), readOnly: false }
        : undefined;
  return {
    resolver: given(resolver, RESOLV_CONF, POD.resolvConf),
    networksResolve: resolver === 'default',
    hosts: given(hosts, HOSTS, POD.hosts),
  };
}

/** In the order of rkt: what the command line says, then the first network that has name servers, then the image. */
export function planCovers(given: GivenFiles, dns: readonly NetworkDns[], names: boolean): CoverPlan[] {
  const network = given.networksResolve ? dns.find((said) => hasDns(said.dns)) : undefined;
  const resolver =
    given.resolver ??
    (network && {
      content: formatResolvConf(network.dns, `rkt from network ${network.name}`),
      readOnly: false,
    });
  return [
    ...(resolver === undefined ? [] : [{ path: RESOLV_CONF, mode: MODE, ...resolver, names: false }]),
    ...(given.hosts === undefined && !names
      ? []
      : [{ path: HOSTS, mode: MODE, content: null, readOnly: false, ...given.hosts, names }]),
  ];
}

/** In the pod, the host's own loopback is another. */
function unreachable({ resolver }: GivenFiles): string[] {
  const { nameservers = [] } = parseResolvConf(resolver?.content ?? '');
  const isLoopback = (server: string) => /^(127\.|::1$)/.test(server);
  return nameservers.length > 0 && nameservers.every(isLoopback)
    ? [
        `--dns=host: ${nameservers.join(', ')}: the pod cannot reach what listens on the host's loopback alone`,
      ]
    : [];
}
