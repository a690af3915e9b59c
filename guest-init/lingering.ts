import type { RootPlan, SharePlan } from '../src/abi/boot-plan.ts';
import { SystemError } from '../src/native/errors.ts';
import { close, open, open_ } from '../src/native/files.ts';
import type { Loop } from '../src/native/loop.ts';
import { rmdir } from '../src/native/paths.ts';
import { stat, statAnew } from '../src/native/stat.ts';
import { rootDirectory } from './root-directory.ts';

/**
 * Mount namespaces whose last process has ended, kept until the shares' server has answered all that was asked for in them; and what
 * is left to do when they have gone.
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

  /** Ours from now on; nobody is left in it. */
  keep(namespace: number, shares: readonly SharePlan[]): void {
    if (shares.length === 0) {
      close(namespace);
      return;
    }
    this.#loop.after(LINGER_MS, () => {
      // The server answers in the order of the questions: first what was read ahead, then what was closed for that.
      for (const { target } of [...shares, ...shares]) attempt(() => statAnew(target));
      close(namespace);
    });
  }

  /**
   * Removes the directory that an app's root was in, which the host has emptied. The guest's kernel goes by what it remembers of a
   * share, and would give a later app of that name the root that was there before: what it has removed itself it looks up anew. What a
   * namespace still holds of that root is forgotten when it has gone: who looks there then is told that nothing is there.
   */
  forgetRoot(root: RootPlan, shares: readonly SharePlan[]): void {
    const path = rootDirectory(root, shares);
    const end = path.lastIndexOf('/');
    const [parent, name] = [path.slice(0, end), path.slice(end + 1)];
    const held = shares.length === 0 ? undefined : attempt(() => open(parent, HOLD));
    // What else an app has left there is the host's to deal with.
    attempt(() => rmdir(parent));
    if (held === undefined) return;
    this.#loop.after(LINGER_MS, () => {
      attempt(() => stat(name, held));
      close(held);
      attempt(() => stat(parent));
    });
  }
}

/** Long for a server, and longer than the kernel goes by what it was told; short for a host that waits for the files of an app that it has taken out. */
const LINGER_MS = 2000;
const HOLD = open_.path | open_.directory;

function attempt<T>(action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return undefined;
  }
}
