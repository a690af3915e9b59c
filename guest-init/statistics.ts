/** What the pod uses, read off the guest's kernel when the host asks. */
import {
  APPS_A_MESSAGE,
  type AppStatistics,
  type GuestStatistics,
  MOST_INTERFACES,
} from '../src/abi/statistics.ts';
import type { ControlGroup, GroupDirectory } from '../src/native/cgroups.ts';
import { readText, readTextIfPresent } from '../src/native/contents.ts';
import { unless } from '../src/native/errors.ts';
import { flatNumbers } from '../src/native/flat-text.ts';
import type { AppGroups } from './app-groups.ts';
import type { HostChannel } from './host-channel.ts';
import { type Moved, movedByCalls, movedByDevices, parseInterfaces } from './statistics-text.ts';

/** More would keep PID 1 from its pod for too long; what they moved is then not known. */
const MOST_PROCESSES = 256;

interface Counted {
  readonly host: Pick<HostChannel, 'send'>;
  readonly groups: AppGroups;
  /** Of the pod, in milliseconds. */
  age(): number;
}

export function sendStatistics(
  { host, groups, age }: Counted,
  request: number,
  apps: readonly { readonly id: string }[],
): void {
  for (let first = 0; first < apps.length; first += APPS_A_MESSAGE) {
    const some = apps.slice(first, first + APPS_A_MESSAGE).map(({ id }) => statisticsOf(id, groups));
    host.send({ type: 'app-stats', request, apps: some });
  }
  host.send({ type: 'stats', request, ...statisticsOfGuest(), uptimeMilliseconds: age() });
}

function statisticsOf(app: string, groups: AppGroups): AppStatistics {
  const group = groups.groupOf(app);
  const number = (controller: 'memory' | 'pids', v1: string, v2: string) =>
    numberOf(textIn(group, controller, v1) ?? textIn(group, 'unified', v2));
  return {
    name: app,
    cpuMicroseconds: processorTime(group),
    memoryBytes: number('memory', 'memory.usage_in_bytes', 'memory.current'),
    memoryPeakBytes: number('memory', 'memory.max_usage_in_bytes', 'memory.peak'),
    tasks: number('pids', 'pids.current', 'pids.current'),
    ...bytesOf(app, groups),
  };
}

function processorTime(group: ControlGroup | undefined): number | null {
  const unified = flatNumbers(textIn(group, 'unified', 'cpu.stat') ?? '').get('usage_usec');
  if (unified !== undefined) return unified;
  const nanoseconds = numberOf(textIn(group, 'cpuacct', 'cpuacct.usage'));
  return nanoseconds === null ? null : Math.round(nanoseconds / 1000);
}

function statisticsOfGuest(): Omit<GuestStatistics, 'uptimeMilliseconds'> {
  const memory = flatNumbers(readText('/proc/meminfo'));
  const kibibytes = (key: string) => 1024 * (memory.get(key) ?? 0);
  return {
    memoryBytes: kibibytes('MemTotal'),
    memoryAvailableBytes: kibibytes('MemAvailable'),
    interfaces: parseInterfaces(readText('/proc/net/dev')).slice(0, MOST_INTERFACES),
  };
}

/** Files of a share are read over no block device: then it is the processes that know. */
function bytesOf(
  app: string,
  groups: AppGroups,
): Pick<AppStatistics, 'readBytes' | 'writtenBytes' | 'bytesOf'> {
  const devices = movedByDevices(textIn(groups.groupOf(app), 'unified', 'io.stat') ?? '');
  if (devices !== undefined) return { ...devices, bytesOf: 'devices' };
  return { ...callsOf(groups.processesOf(app)), bytesOf: 'calls' };
}

function callsOf(pids: readonly number[] | undefined): Moved | { readBytes: null; writtenBytes: null } {
  if (pids === undefined || pids.length > MOST_PROCESSES) return { readBytes: null, writtenBytes: null };
  // A process may go while we look; a kernel may not count.
  const texts = pids.map((pid) => unless(['ENOENT', 'ESRCH', 'EACCES'], () => readText(`/proc/${pid}/io`)));
  return movedByCalls(texts.filter((text) => text !== undefined));
}

function textIn(
  group: ControlGroup | undefined,
  controller: GroupDirectory['controller'],
  file: string,
): string | undefined {
  const path = group?.directories.find((directory) => directory.controller === controller)?.path;
  // A kernel without the controller has no such file; before the first process there is no group.
  return path === undefined ? undefined : unless(['ENODEV'], () => readTextIfPresent(`${path}/${file}`));
}

function numberOf(text: string | undefined): number | null {
  const word = text?.trim();
  return word === undefined || !/^\d+$/.test(word) ? null : Number(word);
}
