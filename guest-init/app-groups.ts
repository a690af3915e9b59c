/**
 * A control group for each app, from its first process on, so that what an app uses can be told and all of it be ended. They
 * outlive the app's processes: what it has used counts on when it is started again.
 */
import { delegateControllers, makeGroup, processesOf, removeGroup } from '../src/native/cgroups.ts';
import { readText, writeControl } from '../src/native/contents.ts';
import { close, open, open_ } from '../src/native/files.ts';
import { mkdir } from '../src/native/paths.ts';
import { exists } from '../src/native/stat.ts';
import type { Dwelling } from './child.ts';

const CONTROLLERS = ['cpu', 'memory', 'io', 'pids'] as const;
/** No app has such a name. */
const INIT = '_init';

export class AppGroups {
  #root: string | undefined;
  readonly #groups = new Map<string, number>();

  /**
   * Makes groups in `root`, a group of v2 with this process in it at most; undefined: there are none. A kernel may lack any of
   * the controllers: then that part of what an app uses is not known.
   */
  open(root: string | undefined): void {
    if (root === undefined) return;
    const available = readText(`${root}/cgroup.controllers`).trim().split(' ');
    // Only the root of all may have both processes and groups with controllers.
    if (exists(`${root}/cgroup.type`)) stepAside(root);
    delegateControllers(
      root,
      CONTROLLERS.filter((name) => available.includes(name)),
    );
    this.#root = root;
  }

  /** The directory of an app's group; undefined where there are no groups. */
  pathOf(app: string): string | undefined {
    return this.#root === undefined ? undefined : `${this.#root}/${app}`;
  }

  /** The group of a process's app, open, made when it is missing. */
  join(dwelling: Dwelling): number | undefined {
    const app = dwelling.kind === 'app' ? dwelling.app.name : dwelling.app;
    const path = this.pathOf(app);
    if (path === undefined) return undefined;
    const known = this.#groups.get(app);
    if (known !== undefined) return known;
    makeGroup(groupAt(path));
    const fd = open(path, open_.path | open_.directory);
    this.#groups.set(app, fd);
    return fd;
  }

  /** Undefined where there are no groups. */
  processesOf(app: string): readonly number[] | undefined {
    const path = this.pathOf(app);
    return path === undefined ? undefined : processesOf(groupAt(path));
  }

  /** Kills all processes of an app, whatever they have become since it started them. False: there are no groups. */
  kill(app: string): boolean {
    const path = this.#groups.has(app) ? this.pathOf(app) : undefined;
    if (path === undefined || !exists(`${path}/cgroup.kill`)) return false;
    writeControl(`${path}/cgroup.kill`, '1');
    return true;
  }

  /** Of an app that is over and will not come back. */
  remove(app: string): void {
    const fd = this.#groups.get(app);
    const path = this.pathOf(app);
    if (fd === undefined || path === undefined) return;
    close(fd);
    this.#groups.delete(app);
    // Where somebody is still dying it stays, empty.
    removeGroup(groupAt(path));
  }
}

function groupAt(path: string) {
  return { directories: [{ controller: 'unified', path } as const] };
}

function stepAside(root: string): void {
  const path = `${root}/${INIT}`;
  mkdir(path, 0o755);
  writeControl(`${path}/cgroup.procs`, '0');
}
