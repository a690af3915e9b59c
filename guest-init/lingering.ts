import type { SharePlan } from '../src/abi/boot-plan.ts';
import { close } from '../src/native/files.ts';
import type { Loop } from '../src/native/loop.ts';
import { statAnew } from '../src/native/stat.ts';

/**
 * Mount namespaces whose last process has ended, kept until the shares' server has answered all that was asked for in them.
 *
 * What the server mounts in a share is a file system of its own in the guest, mounted where an app first goes there and gone with
 * the app's namespace. Linux (6.12) then takes it for empty of open files. That is wrong while a file that was read ahead waits to be
 * closed: the kernel finds it "busy after unmount" and kills whoever was the last, who never comes to its end.
 */
export class Lingering {
  readonly #loop: Pick<Loop, 'after'>;

  constructor(loop: Pick<Loop, 'after'>) {
    this.#loop = loop;
  }

  /** Ours from now on. */
  keep(namespace: number, shares: readonly SharePlan[]): void {
    if (shares.length === 0) {
      close(namespace);
      return;
    }
    this.#loop.after(LINGER_MS, () => {
      // A server answers in the order of the questions: first what was read ahead, then what was closed for that.
      for (const { target } of [...shares, ...shares]) statAnew(target);
      close(namespace);
    });
  }
}

/** Long for a server, short for a host that waits for the files of an app that it has taken out. */
const LINGER_MS = 2000;
