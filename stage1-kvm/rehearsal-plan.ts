/** The pod that a spare machine is once before it is another's: an app as most are, of an image of its own. */
import type { BootPlan, RootDiskPlan } from '../src/abi/boot-plan.ts';
import { NO_RESTART } from '../src/abi/boot-plan.ts';
import { type NetworkPlan, NO_NETWORK } from '../src/abi/network-plan.ts';
import { EROFS_PROGRAMS } from '../src/abi/root-disks.ts';
import type { SavedDevices } from '../src/abi/templates.ts';
import { DEFAULT_UMASK } from '../src/abi/umask.ts';
import { blankApp } from '../src/appc/index.ts';
import { realtime } from '../src/native/clock.ts';
import { readFile, writeFile } from '../src/native/contents.ts';
import { access, mkdir } from '../src/native/paths.ts';
import { randomBytes } from '../src/native/system.ts';
import { removeTree } from '../src/native/tree-removal.ts';
import { runBounded } from '../src/supervisor/bounded-run.ts';
import { encodeBase64 } from '../src/supervisor/plan/base64.ts';
import { planPod } from '../src/supervisor/plan/plan.ts';
import { KvmError } from './error.ts';
import { blockRoot, rootDiskPlans } from './root-disks.ts';

const APP = 'rehearsal';
const HOSTNAME = 'rkt-spare';
const MOST_BYTES = 16 * 1024 * 1024;
const MAKING_MS = 60_000;
const ENTROPY_BYTES = 64;

/** Its image's one file is this program. `place` is a directory that is not there yet. @throws KvmError `unsupported` */
export function makeRehearsalImage(path: string, place: string): void {
  const program = EROFS_PROGRAMS.find((candidate) => access(candidate, 'execute'));
  if (program === undefined)
    throw new KvmError('unsupported', 'mkfs.erofs is not installed: install erofs-utils');
  mkdir(place, 0o700);
  writeFile(`${place}/${APP}`, readFile('/proc/self/exe', MOST_BYTES), 0o755);
  const made = runBounded(program, ['-E', 'noinline_data', path, place], MAKING_MS);
  removeTree(place);
  if (made.kind !== 'succeeded')
    throw new KvmError(
      'vessel-failed',
      `mkfs.erofs: ${made.kind === 'late' ? 'it did not come to an end' : made.said}`,
    );
}

/** For a guest with this kernel. Each disk that is read has that image. `modules` are those of its kernel. */
export function rehearsalPlan(
  kernel: string,
  { disks, interfaces }: SavedDevices,
  modules: readonly string[],
): BootPlan {
  const images = disks.filter((kind) => kind === 'read').map((_, index) => String(index));
  const layers = images.map((_, index) => index);
  const root = blockRoot({ apps: [{ name: APP, layers }] }, APP);
  const plans = rootDiskPlans({ images }, () => 'tcg');
  return planPod({
    hostname: HOSTNAME,
    apps: [
      {
        ...{ name: APP, app: { ...blankApp, exec: [`/${APP}`] }, readOnlyRoot: false },
        identity: { uid: 0, gid: 0, account: undefined },
        streams: { kind: 'pipes', stdin: null, stdout: 1, stderr: 2 },
        ...{ restart: NO_RESTART, notify: false, umask: DEFAULT_UMASK },
        volumes: { mounts: [], devices: [] },
      },
    ],
    housing: {
      ownKernel: true,
      root: () => root,
      shared: (path) => ({ kind: 'directory', path }),
      machine: () => machinePlan(modules, plans),
    },
    ...{ term: 'xterm', restrictCapabilities: true, makesDevices: true, protectPaths: true },
    ...{ restrictDevices: true, filterCalls: true, kernel, environment: [], staysWhenEmpty: false },
    covers: [{ path: '/etc/hosts', mode: 0o644, content: null, readOnly: false, names: true }],
    ...{ names: '', madeVolumes: [], isolators: [], strictIsolators: false },
    network: interfaces === 0 ? NO_NETWORK : networkPlan(interfaces),
    kernelShare: { ownKernel: true, hostNetwork: false, hostIpc: false },
  });
}

function machinePlan(modules: readonly string[], disks: readonly RootDiskPlan[]) {
  return {
    modules,
    clock: realtime(),
    entropy: encodeBase64(randomBytes(ENTROPY_BYTES)),
    shares: [],
    disks,
  };
}

/** As plugins mostly leave it, with addresses for examples (RFC 5737), on taps that nobody is on. */
function networkPlan(interfaces: number): NetworkPlan {
  const names = Array.from({ length: interfaces }, (_, index) => `eth${index}`);
  const route = { table: 254, metric: 0, type: 'unicast', protocol: 4, tos: 0, metrics: [] } as const;
  const hop = { interface: 'eth0', onLink: false, weight: 1 };
  const own = '192.0.2.2';
  const gateway = '192.0.2.1';
  return {
    ...NO_NETWORK,
    interfaces: names.map((name, index) => ({
      ...{ name, mac: ownAddress(index), mtu: 1500, up: true, arp: true },
      ...{ promiscuous: false, allMulticast: false, queueLength: 1000 },
      addresses: [
        {
          ...{ address: `192.0.2.${2 + 4 * index}/30`, peer: null, broadcast: null },
          ...{ scope: 0, deprecated: false, prefixRoute: false },
        },
      ],
    })),
    routes: [
      { ...route, destination: '0.0.0.0/0', scope: 0, source: null, hops: [{ ...hop, gateway }] },
      { ...route, destination: '192.0.2.0/30', scope: 0, source: own, hops: [{ ...hop, gateway }] },
      { ...route, destination: `${gateway}/32`, scope: 253, source: own, hops: [{ ...hop, gateway: null }] },
    ],
    // As they are: those of another pod's plugins would stay.
    sysctls: names.flatMap((name) => [
      { name: `ipv4/conf/${name}/arp_notify`, value: '0' },
      { name: `ipv6/conf/${name}/ndisc_notify`, value: '0' },
    ]),
  };
}

/** That an interface gets: locally administered. */
function ownAddress(index: number): string {
  return `02:00:00:00:00:${index.toString(16).padStart(2, '0')}`;
}
