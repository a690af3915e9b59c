import { closeSync, readFileSync } from 'node:fs';
import { POD } from '../abi/pod-directory.ts';
import type { Observation } from './observation.ts';

/** A pod's exit code, which its supervisor writes into a file that is there before. Once it is held it is read even when the pod is gone. */
export class ExitCodeFile implements Disposable {
  #fd: number | undefined;

  hold(pod: Observation): void {
    this.#fd ??= pod.open(POD.exitCode);
  }

  /** Undefined as long as the pod runs, and when it was killed with its supervisor. */
  read(): number | undefined {
    const text = this.#fd === undefined ? '' : readFileSync(`/proc/self/fd/${this.#fd}`, 'utf8');
    return /^\d{1,3}\n$/.test(text) ? Number(text) : undefined;
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}
