/** What becomes of a pod when something becomes of its apps. Pure. */
import type { ExitStatus } from '../src/abi/guest.ts';
import type { Exit } from '../src/native/processes.ts';
import type { TaskPhase } from './task.ts';

/** Apps start together, so that none runs in a pod that another one's broken root is about to end. */
export function allReady(apps: readonly TaskPhase[]): boolean {
  return apps.every((phase) => phase !== 'preparing');
}

/** An app that exits 0 has done its work; any other end is the pod's end. */
export function endsPod(status: ExitStatus): boolean {
  return status.kind === 'signaled' || status.code !== 0;
}

export function allOver(apps: readonly TaskPhase[]): boolean {
  return apps.every(isOver);
}

export function isOver(phase: TaskPhase): boolean {
  switch (phase) {
    case 'failed':
    case 'dropped':
    case 'ended':
      return true;
    case 'preparing':
    case 'ready':
    case 'starting':
    case 'running':
    case 'leaving':
    case 'resting':
      return false;
    default:
      return phase satisfies never;
  }
}

export function exitStatus(exit: Exit): ExitStatus {
  return exit.kind === 'exited'
    ? { kind: 'exited', code: exit.code }
    : { kind: 'signaled', signal: exit.signal };
}
