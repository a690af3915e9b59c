import type { StreamsPlan } from '../src/abi/boot-plan.ts';
import { setNonBlocking } from '../src/native/descriptors.ts';
import { close } from '../src/native/files.ts';
import { fork } from '../src/native/processes.ts';
import { socketPair } from '../src/native/sockets.ts';
import { becomeProgram, type ChildOrder } from './child.ts';
import { closeChildStreams, openStreams, type StreamEnd } from './streams.ts';

/** A child on its way to the gate. */
export interface Launched {
  readonly pid: number;
  /** PID 1's side of the gate, non-blocking. */
  readonly gate: number;
  readonly ends: readonly StreamEnd[];
}

export function launch(order: Omit<ChildOrder, 'streams'>, plan: StreamsPlan): Launched {
  const { ours, childs } = openStreams(plan);
  const [gate, childsGate] = socketPair('seqpacket');
  const pid = fork();
  if (pid === 0) {
    close(gate);
    becomeProgram({ ...order, streams: childs }, childsGate);
  }
  close(childsGate);
  closeChildStreams(childs);
  setNonBlocking(gate, true);
  return { pid, gate, ends: ours };
}
