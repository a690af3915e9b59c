import type { OutputChannel } from '../output-channel.ts';

/** What PID 1 lives in: a machine, or namespaces. */
export interface Vessel {
  /** The supervisor's ends, both non-blocking; whoever uses one owns it. */
  readonly channels: { readonly control: number; readonly data: number };
  /** Where fds can go in. Whoever uses it owns it. */
  readonly outputs?: OutputChannel;
  /** Those of the host that it consists of. */
  readonly processes: readonly { readonly name: string; readonly pid: number }[];
  /**
   * PID 1 has been heard of. Gives how many milliseconds before it went on, where it did not begin then with the start of a kernel;
   * `given-up`: it is that of a machine which is being replaced by another.
   */
  answered?(): number | 'given-up' | undefined;
  /** All in it stands still; `done` is told when, or why not. */
  pause(done: (refusal: string | undefined) => void): void;
  resume(done: (refusal: string | undefined) => void): void;
  /** At once. `gone` follows. */
  kill(): void;
  /** The last lines of what was said in it, each with who said it; what was shown as it came is left out. */
  lastWords(): string[];
}

export interface VesselEvents {
  /** It cannot go on, or has ended by itself. */
  failed(problem: Error): void;
  /** All of its processes have been reaped. */
  gone(): void;
}
