/** What `inspect` tells of a pod beside what others need: files of JSON whose fields it prints as they are (docs/commands/inspect.md). */
import type { AppPlan, MountPlanEntry } from '../abi/boot-plan.ts';
import { appFacts, POD } from '../abi/pod-directory.ts';
import { formatUmask } from '../abi/umask.ts';
import { capabilityNames } from '../native/capability-names.ts';
import { limitName } from '../native/limits.ts';
import { recordIfPossible } from './record.ts';

export interface MachineFacts {
  readonly accelerator: string;
  readonly cpus: number;
  readonly memory_bytes: number;
  /** Of QEMU. */
  readonly uid: number;
  readonly kernel: string;
}

export function recordMachine(facts: MachineFacts): void {
  write(POD.machine, facts);
}

/** How an app is started. Its environment is in the pod's manifest, as far as it is not the image's. */
export function recordAppFacts(app: AppPlan): void {
  const { process } = app;
  write(appFacts(app.name), {
    exec: process.argv,
    working_directory: process.workingDirectory,
    uid: process.uid,
    gid: process.gid,
    groups: process.groups,
    umask: formatUmask(process.umask),
    capabilities: process.capabilities.map((number) => capabilityNames[number] ?? `${number}`),
    no_new_privileges: process.noNewPrivileges,
    seccomp: process.seccomp !== null,
    oom_score_adj: process.oomScoreAdj ?? undefined,
    limits: limitsOf(app),
    read_only_root: app.readOnlyRoot,
    terminal: app.streams.kind === 'terminal',
    mounts: app.mounts.map(mountOf),
  });
}

/** What it has none of is left out. */
function limitsOf({ limits, process }: AppPlan) {
  const { memoryBytes, cpuMillis, cpuShares, processes, devices } = limits;
  const numbers = {
    memory_bytes: memoryBytes,
    cpu_millis: cpuMillis,
    cpu_shares: cpuShares,
    processes,
  };
  return {
    ...Object.fromEntries(Object.entries(numbers).filter(([, value]) => value !== null)),
    devices: devices === null ? 'all' : 'some',
    rlimits: process.rlimits.map(({ resource, soft, hard }) => ({ name: limitName(resource), soft, hard })),
  };
}

function mountOf(entry: MountPlanEntry) {
  const { kind, target } = entry;
  return kind === 'filesystem'
    ? { kind, target, type: entry.type, flags: entry.flags, data: entry.data }
    : { kind, target };
}

function write(path: string, facts: object): void {
  recordIfPossible(path, `${JSON.stringify(facts)}\n`, 0o640);
}
