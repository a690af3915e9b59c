import { CONTROL_FD, DATA_FD, OUTPUTS_FD } from '../src/abi/guest.ts';
import { type ControlGroup, parseGroup } from '../src/native/cgroups.ts';
import { setNonBlocking } from '../src/native/descriptors.ts';
import { argv, exit } from '../src/native/engine.ts';
import { closeOnExecFrom } from '../src/native/processes.ts';
import { resetSignals } from '../src/native/signals.ts';
import { during } from './error.ts';

/** The fds to the host, all non-blocking. */
export interface Channels {
  readonly control: number;
  readonly data: number;
  /** Where fds can come from. */
  readonly outputs?: number;
}

/** What PID 1 stands on: a machine of its own, or namespaces that somebody else made. */
export interface Ground {
  /** Whether its kernel is the pod's own, and as old as the pod. */
  readonly ownKernel: boolean;
  /** Makes the basic file systems usable, and opens the way to the host. */
  open(): Channels;
  /** The control group that is the pod's own; undefined where there is none. */
  groups(): ControlGroup | undefined;
  /** Whatever has been written goes where it belongs. False: nobody needs to know. */
  settle(): boolean;
  /** Ends it all, at once. */
  leave(code: number): never;
}

/** Behind the standard streams. */
const FIRST_OWN_FD = 3;

/**
 * Namespaces are ready when PID 1 starts in them, with the channels open. Whoever made them names the control group that it has
 * given away: what is mounted where such groups mostly are may well be the host's.
 */
export const namespaces: Ground = {
  ownKernel: false,
  open() {
    return during('channels', () => {
      // Whoever started us may have ignored signals; a machine's PID 1 starts clean, and so must the apps.
      resetSignals();
      // Whatever else it left open is not for the apps either.
      closeOnExecFrom(FIRST_OWN_FD);
      for (const fd of [CONTROL_FD, DATA_FD]) setNonBlocking(fd, true);
      return { control: CONTROL_FD, data: DATA_FD, outputs: OUTPUTS_FD };
    });
  },
  groups: () => parseGroup(argv().slice(2)),
  settle: () => false,
  // The kernel kills what is left in a pid namespace when its PID 1 exits.
  leave: exit,
};
