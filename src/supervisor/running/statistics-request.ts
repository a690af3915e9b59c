/** The request `stats`: the guest's own account, where it gives one, and what the host sees of the pod. */
import { APPS_A_MESSAGE, type PodStatistics } from '../../abi/statistics.ts';
import { monotonicMilliseconds } from '../../native/clock.ts';
import { getpid } from '../../native/processes.ts';
import type { Caller } from '../control-server.ts';
import type { GuestAnswer } from '../guest-questions.ts';
import { statisticsOfGroup, statisticsOfProcess } from '../statistics.ts';
import type { RunningPod } from './running-pod.ts';

/** A guest answers within some milliseconds; one on a host under load may need more. */
const PATIENCE_MILLISECONDS = 3000;

export function tellStatistics(pod: RunningPod, _: unknown, caller: Caller): undefined {
  const { session } = pod;
  const tell = (answer: GuestAnswer | undefined) => {
    const apps = answer?.apps ?? [];
    for (let first = 0; first < apps.length; first += APPS_A_MESSAGE)
      caller.answer({ type: 'app-stats', apps: apps.slice(first, first + APPS_A_MESSAGE) });
    caller.answer({ type: 'stats', ...statisticsOfPod(pod, answer) });
    caller.finish();
  };
  if (phaseOf(pod) === 'running') session.questions.ask(PATIENCE_MILLISECONDS, tell);
  else tell(undefined);
}

function phaseOf({ session, standstill }: RunningPod): PodStatistics['phase'] {
  if (session.plan === undefined) return 'starting';
  return standstill.isPaused ? 'paused' : 'running';
}

function statisticsOfPod(pod: RunningPod, answer: GuestAnswer | undefined): PodStatistics {
  const { apps, vessel, cgroup } = pod;
  const processes = [{ name: 'supervisor', pid: getpid() }, ...vessel.processes];
  return {
    at: Math.round(monotonicMilliseconds()),
    phase: phaseOf(pod),
    guest: answer?.guest ?? null,
    processes: processes.flatMap(({ name, pid }) => statisticsOfProcess(name, pid) ?? []),
    appsBeside: !apps.housing.ownKernel,
    group: statisticsOfGroup(cgroup),
  };
}
