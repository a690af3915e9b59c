import { join } from 'node:path';
import { AbiError } from '../abi/json.ts';
import { POD } from '../abi/pod-directory.ts';
import { formatPublishedPorts, type PublishedPort, parsePublishedPorts } from '../abi/published-ports.ts';
import { readPodManifest } from '../appc/index.ts';
import { chooseFreePort } from '../net/free-port.ts';
import {
  formatHostPort,
  type HostPorts,
  overlaps,
  type WantedPort,
  wantedPorts,
} from '../net/published-ports.ts';
import { replaceFile } from '../os/durable.ts';
import { exclusive } from '../os/lock.ts';
import type { PodReference } from '../pod/directory.ts';
import { hold } from '../pod/hold.ts';
import { listPods } from '../pod/listing.ts';
import { readName } from '../pod/name.ts';
import { observe } from '../pod/observation.ts';
import { hasNetworkRecords } from '../pod/outside.ts';
import { own, type Pod } from '../pod/pod.ts';
import { readManifestText } from '../pod/record.ts';
import type { State } from '../pod/state.ts';
import { runStage1Gc } from './deletion.ts';
import { Stage0Error } from './errors.ts';
import { type Host, portsLock } from './host.ts';
import { anyNumber, ephemeralPorts, hostListeners } from './host-ports.ts';
import { refuseWithoutNetwork } from './port-request.ts';

/** What another pod says that leads to it: it does as long as the pod runs, and until its networks have been taken down. */
interface Claim {
  readonly pod: PodReference;
  readonly ports: readonly PublishedPort[];
}

/**
 * Takes the ports of the host that a pod of ours publishes, before it runs. There is no register that could disagree with the pods: who
 * takes a port looks at all of them, under a lock, and at the programs of the host. They are the pod's as long as its lock is held.
 * Throws Stage0Error `port-taken`, which says by whom, and `bad-request` for a pod without a network.
 */
export async function claimPorts(
  host: Host,
  pod: Pod,
  net: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  const wanted = wantedPorts(readPodManifest(readManifestText(pod) ?? ''));
  if (wanted.length === 0) return;
  refuseWithoutNetwork(net, 'ports of the pod manifest do');
  using _ = await exclusive(portsLock(host), signal);
  const claims = claimsOfOthers(pod);
  for (const claim of claims) await settle(host, wanted, claim);
  const listeners = hostListeners(new Set(wanted.map(({ protocol }) => protocol)));
  for (const port of wanted) {
    const other = port.hostPort === 0 ? undefined : listeners.find((listener) => overlaps(listener, port));
    if (other !== undefined)
      throw new Stage0Error(
        'port-taken',
        `${formatHostPort(port)} is taken: a program of the host has ${formatHostPort(other)}`,
      );
  }
  const taken = [...claims.flatMap(({ ports }) => ports), ...listeners];
  replaceFile(join(pod.path, POD.ports), formatPublishedPorts(numbered(wanted, taken)));
}

function claimsOfOthers({ pods, uuid }: Pod): readonly Claim[] {
  return listPods(pods, ['prepare', 'prepared', 'run', 'exited-garbage']).flatMap((reference) => {
    using other = reference.uuid === uuid ? undefined : observe(reference);
    const text = other?.text(POD.ports);
    // A power cut, which has ended the pod and its rules, may have left it empty.
    return text === undefined || text.trim() === ''
      ? []
      : [{ pod: reference, ports: parsePorts(reference, text) }];
  });
}

function parsePorts({ uuid }: PodReference, text: string): readonly PublishedPort[] {
  try {
    return parsePublishedPorts(text);
  } catch (cause) {
    if (!(cause instanceof AbiError || cause instanceof SyntaxError)) throw cause;
    throw new Stage0Error('bad-tree', `pod ${JSON.stringify(uuid)}: ${POD.ports}: ${cause.message}`, {
      cause,
    });
  }
}

/** Sees to it that nobody else has what is wanted, or throws. */
async function settle(host: Host, wanted: readonly WantedPort[], { pod, ports }: Claim): Promise<void> {
  const port = wanted.find(({ hostPort, ...rest }) =>
    hostPort === 0 ? false : ports.some((other) => overlaps({ hostPort, ...rest }, other)),
  );
  if (port === undefined) return;
  const holding = await hold(pod);
  if (holding.kind === 'gone') return;
  if (holding.kind === 'busy') throw takenBy(port, pod, holding.state);
  holding.pod.lock.release();
  await takeDown(host, port, pod);
}

/** A pod whose supervisor was killed has left rules, by which its ports still lead to where it was. */
async function takeDown(host: Host, port: WantedPort, reference: PodReference): Promise<void> {
  const ownership = await own(reference);
  if (ownership.kind === 'gone') return;
  if (ownership.kind === 'busy') throw takenBy(port, reference, ownership.state);
  using pod = ownership.pod;
  if (!hasNetworkRecords(pod.path)) return;
  const left = `${formatHostPort(port)} still leads to pod ${JSON.stringify(pod.uuid)}, which has ended`;
  try {
    await runStage1Gc(host, pod);
  } catch (cause) {
    throw new Stage0Error('port-taken', left, { cause });
  }
  if (hasNetworkRecords(pod.path))
    throw new Stage0Error(
      'port-taken',
      `${left}: its stage1 leaves what ${POD.networks} in its directory tells of`,
    );
}

function takenBy(port: WantedPort, pod: PodReference, state: State): Stage0Error {
  const name = readName(pod);
  const called = name === undefined ? '' : ` ${JSON.stringify(name)}`;
  const owner = `pod${called} ${JSON.stringify(pod.uuid)} (${state})`;
  return new Stage0Error('port-taken', `${formatHostPort(port)} is taken by ${owner}`);
}

/** One after another: what one port gets is taken for the next. */
function numbered(wanted: readonly WantedPort[], others: readonly HostPorts[]): readonly PublishedPort[] {
  const fixed = wanted.filter(({ hostPort }) => hostPort !== 0);
  const taken = [...others, ...fixed];
  return wanted.map((port) => {
    if (port.hostPort !== 0) return port;
    const hostPort = chooseFreePort(port, taken, ephemeralPorts(), anyNumber());
    if (hostPort === undefined)
      throw new Stage0Error(
        'port-taken',
        `port ${port.name}: no ${port.count} ports of the host in a row are free`,
      );
    const found = { ...port, hostPort };
    taken.push(found);
    return found;
  });
}
