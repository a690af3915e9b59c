/** The request `stats`: the guest's own account, where it gives one, and what the host sees of the pod. */
import { APPS_A_MESSAGE } from '../src/abi/statistics.ts';
import { monotonicMilliseconds } from '../src/native/clock.ts';
import { getpid } from '../src/native/processes.ts';
import type { Caller } from '../src/supervisor/control-server.ts';
import type { GuestAnswer } from '../src/supervisor/guest-questions.ts';
import { statisticsOfGroup, statisticsOfProcess } from '../src/supervisor/statistics.ts';
import type { RunningPod } from './running-pod.ts';

/** A guest answers within some milliseconds; one on a host under load may need more. */
const PATIENCE_MILLISECONDS = 3000;

export function tellStatistics(pod: RunningPod, _: unknown, caller: Caller): undefined {
  const { session, standstill } = pod;
  const tell = (answer: GuestAnswer | undefined) => {
    const apps = answer?.apps ?? [];
    for (let first = 0; first < apps.length; first += APPS_A_MESSAGE)
      caller.answer({ type: 'app-stats', apps: apps.slice(first, first + APPS_A_MESSAGE) });
    caller.answer({ type: 'stats', ...statisticsOfPod(pod, answer) });
    caller.finish();
  };
  if (session.plan === undefined || standstill.isPaused) tell(undefined);
  else session.questions.ask(PATIENCE_MILLISECONDS, tell);
}

function statisticsOfPod({ machine, cgroup, standstill }: RunningPod, answer: GuestAnswer | undefined) {
  const processes = [{ name: 'supervisor', pid: getpid() }, ...machine.processes];
  return {
    at: Math.round(monotonicMilliseconds()),
    paused: standstill.isPaused,
    guest: answer?.guest ?? null,
    processes: processes.flatMap(({ name, pid }) => statisticsOfProcess(name, pid) ?? []),
    group: statisticsOfGroup(cgroup),
  };
}
