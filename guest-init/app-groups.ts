/**
 * A control group for each app, from its first process on, so that what an app uses can be told and all of it be ended. They
 * outlive the app's processes: what it has used counts on when it is started again.
 */
import {
  type ControlGroup,
  delegateControllers,
  type GroupDirectory,
  joinFilesOf,
  makeGroup,
  processesOf,
  removeGroup,
  signalGroup,
  subgroup,
} from '../src/native/cgroups.ts';
import { readText, readTextIfPresent, writeControl } from '../src/native/contents.ts';
import { attachDeviceFilter, type DeviceRule } from '../src/native/device-filter.ts';
import { unless } from '../src/native/errors.ts';
import { close, File, open, open_ } from '../src/native/files.ts';
import { flatNumbers } from '../src/native/flat-text.ts';
import type { Loop } from '../src/native/loop.ts';
import { openMemoryEvents, takeMemoryEvents } from '../src/native/memory-events.ts';
import { mkdir } from '../src/native/paths.ts';
import { exists } from '../src/native/stat.ts';

const CONTROLLERS = ['cpu', 'memory', 'io', 'pids'] as const;
/** No app has such a name. */
const INIT = '_init';
const HOLDER = '_devices';

const KILL_ROUNDS = 10;
/** For a kill that has been announced. */
const KILL_LOOKS = 10;
const KILL_LOOK_MS = 20;
const REFUSED = ['EPERM', 'EACCES', 'ENOENT', 'EINVAL', 'ENODEV', 'EOPNOTSUPP'];
const OOM_FILES: ReadonlyMap<string, string> = new Map([
  ['unified', 'memory.events'],
  ['memory', 'memory.oom_control'],
]);

/** How a process comes into a group. */
export interface GroupEntry {
  readonly group: ControlGroup;
  /** Of v2, open. */
  readonly unified: number | undefined;
  /** The same, where a process can be made in it. */
  readonly birthplace: number | undefined;
  /** Of the others: what a process writes to, to go there. */
  readonly files: readonly string[];
}

export class AppGroups {
  #root: ControlGroup | undefined;
  readonly #loop: Loop;
  readonly #entries = new Map<string, GroupEntry>();
  readonly #watches = new Map<string, { close(): void }>();
  /** Of processes of apps, for want of memory, after which the others were killed. */
  readonly #seenKills = new Map<string, number>();

  constructor(loop: Loop) {
    this.#loop = loop;
  }

  /**
   * Makes groups in `root`, with this process in it at most; undefined: there are none. A kernel may lack any of the controllers:
   * then that part of what an app uses is not known.
   */
  open(root: ControlGroup | undefined): void {
    if (root === undefined || root.directories.length === 0) return;
    const unified = directoryOf(root, 'unified');
    if (unified !== undefined) divide(unified);
    this.#root = root;
  }

  /**
   * Nobody is ever in this one. Without a filter anywhere the kernel has no code that asks one: it rewrites itself when the first group gets one and when the last
   * has lost it, which takes its time, and an emulated processor has to translate the code anew.
   */
  holdDeviceFilter(rules: readonly DeviceRule[]): void {
    const group = this.groupOf(HOLDER);
    const unified = group === undefined ? undefined : directoryOf(group, 'unified');
    if (group === undefined || unified === undefined) return;
    makeGroup(group);
    using directory = File.open(unified, open_.path | open_.directory);
    attachDeviceFilter(directory.fd, rules);
  }

  /** Undefined where there are no groups. */
  groupOf(app: string): ControlGroup | undefined {
    return this.#root === undefined ? undefined : subgroup(this.#root, app);
  }

  /** The group of an app, made when it is missing. */
  join(app: string): GroupEntry | undefined {
    const group = this.groupOf(app);
    if (group === undefined) return undefined;
    const known = this.#entries.get(app);
    if (known !== undefined) return known;
    makeGroup(group);
    const entry = entryOf(group);
    this.#entries.set(app, entry);
    this.#watchMemory(app, group);
    return entry;
  }

  /** Undefined where there are no groups. */
  processesOf(app: string): readonly number[] | undefined {
    const group = this.groupOf(app);
    return group === undefined ? undefined : processesOf(group);
  }

  /** How many processes of an app have been killed because memory was wanting; 0 where that is not counted. */
  memoryKills(app: string): number {
    const directories = this.groupOf(app)?.directories ?? [];
    const counts = directories.flatMap(({ controller, path }) => {
      const file = OOM_FILES.get(controller);
      const text = file === undefined ? undefined : readTextIfPresent(`${path}/${file}`);
      return text === undefined ? [] : [flatNumbers(text).get('oom_kill') ?? 0];
    });
    return Math.max(0, ...counts);
  }

  /** On v2 the kernel kills an app as a whole; on v1 it kills a process, and the others are ours to kill. */
  #watchMemory(app: string, group: ControlGroup): void {
    const directory = directoryOf(group, 'memory');
    // Who may not ask has what the kernel does.
    const events = directory === undefined ? undefined : unless(REFUSED, () => openMemoryEvents(directory));
    if (events === undefined) return;
    const watch = this.#loop.watch(events, {
      readable: () => {
        takeMemoryEvents(events);
        this.#killWhenOneIs(app, KILL_LOOKS);
      },
    });
    this.#watches.set(app, {
      close: () => {
        watch.close();
        close(events);
      },
    });
  }

  /** The event comes before the kill, and to all groups below the one where memory is wanting. */
  #killWhenOneIs(app: string, looks: number): void {
    const kills = this.memoryKills(app);
    if (kills > (this.#seenKills.get(app) ?? 0)) {
      this.#seenKills.set(app, kills);
      this.kill(app);
    } else if (looks > 0) this.#loop.after(KILL_LOOK_MS, () => this.#killWhenOneIs(app, looks - 1));
  }

  /** Kills all processes of an app, whatever they have become since it started them. False: there are no groups. */
  kill(app: string): boolean {
    const group = this.#entries.has(app) ? this.groupOf(app) : undefined;
    if (group === undefined) return false;
    // Only a group of v2 can be killed as one; otherwise a fork may hide a process from a round.
    for (let round = 0; round < KILL_ROUNDS && processesOf(group).length > 0; round++)
      signalGroup(group, 'SIGKILL');
    this.#enterByMove(app, group);
    return true;
  }

  /** Of a group of v2 that was killed as one, some kernels (6.14 and later) go on to kill each process that is made in it. */
  #enterByMove(app: string, group: ControlGroup): void {
    const entry = this.#entries.get(app);
    if (entry?.unified === undefined) return;
    this.#entries.set(app, { ...entry, birthplace: undefined, files: joinFilesOf(group) });
  }

  /** Of an app that is over and will not come back. */
  remove(app: string): void {
    const entry = this.#entries.get(app);
    const group = this.groupOf(app);
    if (entry === undefined || group === undefined) return;
    if (entry.unified !== undefined) close(entry.unified);
    this.#entries.delete(app);
    this.#watches.get(app)?.close();
    this.#watches.delete(app);
    this.#seenKills.delete(app);
    // Where somebody is still dying it stays, empty.
    removeGroup(group);
  }
}

function directoryOf(group: ControlGroup, controller: GroupDirectory['controller']): string | undefined {
  return group.directories.find((directory) => directory.controller === controller)?.path;
}

function entryOf(group: ControlGroup): GroupEntry {
  const unified = directoryOf(group, 'unified');
  const others = group.directories.filter(({ controller }) => controller !== 'unified');
  const opened = unified === undefined ? undefined : open(unified, open_.path | open_.directory);
  return {
    group,
    unified: opened,
    birthplace: opened,
    files: joinFilesOf({ directories: others }),
  };
}

/** Where controllers are elsewhere, on v1, there are none to give. */
function divide(root: string): void {
  const available = readText(`${root}/cgroup.controllers`).trim().split(' ');
  const controllers = CONTROLLERS.filter((name) => available.includes(name));
  // Without any, a group may have both; and the whole machine waits for a move.
  if (controllers.length === 0) return;
  // Only the root of all may have both processes and groups with controllers.
  if (exists(`${root}/cgroup.type`)) stepAside(root);
  delegateControllers(root, controllers);
}

function stepAside(root: string): void {
  const path = `${root}/${INIT}`;
  mkdir(path, 0o755);
  writeControl(`${path}/cgroup.procs`, '0');
}
