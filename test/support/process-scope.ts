import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { TestSupportError } from './error.ts';

/** A live process of a scope, as /proc tells it. */
export interface ScopeProcess {
  readonly pid: number;
  readonly parent: number;
  /** The kernel's name of it, at most 15 characters: `qemu-system-x86`. */
  readonly name: string;
  readonly argv: readonly string[];
}

const CALLER = 'caller-';
const HIERARCHIES = ['/sys/fs/cgroup/unified', '/sys/fs/cgroup', '/sys/fs/cgroup/pids'];

/**
 * Every process that a test starts, with all that come from them: a cgroup of its own, so that a child which was
 * orphaned, changed its session or its user is still known to be ours. Nobody else's process is ever in it.
 */
export class ProcessScope {
  readonly directory: string;
  #callers = 0;

  constructor() {
    this.directory = mkdtempSync(join(ownCgroup(), 'rkt-test-'));
  }

  /** The argv that starts `argv` inside this scope, alone in a cgroup as a service manager would have it. */
  enter(argv: readonly string[]): string[] {
    const leaf = join(this.directory, `${CALLER}${++this.#callers}`);
    mkdirSync(leaf);
    return ['/bin/sh', '-c', 'echo 0 > "$0" && exec "$@"', join(leaf, 'cgroup.procs'), ...argv];
  }

  processes(): ScopeProcess[] {
    return pidsBelow(this.directory).flatMap((pid) => describe(pid) ?? []);
  }

  /** Cgroup directories that somebody else made in here, deepest first. */
  foreignCgroups(): string[] {
    return directoriesBelow(this.directory).filter(
      (path) => dirname(path) !== this.directory || !basename(path).startsWith(CALLER),
    );
  }

  /** Ends what is left of a failed test, by pid; nothing outside this scope is touched. */
  killAll(): void {
    for (const pid of pidsBelow(this.directory)) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // Gone in the meantime.
      }
    }
  }

  /** Removes the cgroups; false while a process is still ending in one. */
  remove(): boolean {
    try {
      for (const path of [...directoriesBelow(this.directory), this.directory]) rmdirSync(path);
      return true;
    } catch {
      return false;
    }
  }
}

// The hierarchy that this process may make cgroups in, below the one it is in itself.
function ownCgroup(): string {
  const lines = readFileSync('/proc/self/cgroup', 'utf8').trim().split('\n');
  for (const mountPoint of HIERARCHIES) {
    if (!existsSync(join(mountPoint, 'cgroup.procs'))) continue;
    const controller = mountPoint.endsWith('/pids') ? 'pids' : '';
    const line = lines.find((text) => text.split(':')[1] === controller);
    const path = line?.split(':').slice(2).join(':');
    if (path !== undefined && existsSync(join(mountPoint, path))) return join(mountPoint, path);
  }
  throw new TestSupportError(
    'MISSING_REQUIREMENT',
    `functional tests need a writable cgroup hierarchy on one of ${HIERARCHIES.join(', ')}`,
  );
}

function directoriesBelow(path: string): string[] {
  const names = readdirSync(path, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return names.flatMap(({ name }) => [...directoriesBelow(join(path, name)), join(path, name)]);
}

function pidsBelow(path: string): number[] {
  return [path, ...directoriesBelow(path)].flatMap((directory) => {
    const text = readIfThere(join(directory, 'cgroup.procs')) ?? '';
    return text
      .split('\n')
      .filter((line) => line !== '')
      .map(Number);
  });
}

function describe(pid: number): ScopeProcess | undefined {
  const stat = readIfThere(`/proc/${pid}/stat`);
  const argv = readIfThere(`/proc/${pid}/cmdline`);
  const match = stat === undefined ? null : /^\d+ \((.*)\) (\S) (\d+)/s.exec(stat);
  if (argv === undefined || match === null || match[2] === 'Z') return undefined;
  return { pid, parent: Number(match[3]), name: match[1] ?? '', argv: argv.split('\0').slice(0, -1) };
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
