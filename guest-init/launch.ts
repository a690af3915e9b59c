import { setNonBlocking } from '../src/native/descriptors.ts';
import { close } from '../src/native/files.ts';
import { fork, forkInto } from '../src/native/processes.ts';
import { socketPair } from '../src/native/sockets.ts';
import { becomeProgram, type ChildOrder } from './child.ts';

/** A child on its way to the gate. */
export interface Launched {
  readonly pid: number;
  /** PID 1's side of the gate, non-blocking. */
  readonly gate: number;
}

export function launch(order: ChildOrder): Launched {
  const [gate, childsGate] = socketPair('seqpacket');
  const pid = order.group?.birthplace === undefined ? fork() : forkInto(order.group.birthplace);
  if (pid === 0) {
    close(gate);
    becomeProgram(order, childsGate);
  }
  close(childsGate);
  setNonBlocking(gate, true);
  return { pid, gate };
}
