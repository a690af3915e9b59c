import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type AppPlan,
  type BootPlan,
  type LimitsPlan,
  type MountPlanEntry,
  NO_HANDLERS,
  NO_RESTART,
  type ProcessPlan,
} from '../../src/abi/boot-plan.ts';
import { NO_NETWORK } from '../../src/abi/network-plan.ts';
import { compileProgram } from '../../tools/compile.ts';
import { buildDir, rootDir } from '../../tools/paths.ts';

const BUSYBOX = '/bin/busybox';

export const NO_LIMITS: LimitsPlan = {
  memoryBytes: null,
  cpuMillis: null,
  cpuShares: null,
  processes: null,
  devices: null,
};

/** The program under test, compiled. */
export function compiledInit(): Promise<string> {
  const entry = join(rootDir, 'guest-init', 'main.ts');
  return compileProgram({ entry, name: 'guest-init', outDir: join(buildDir, 'test-programs') });
}

/** A directory of root file systems, removed at the end. */
export class RootFolder implements Disposable {
  readonly directory = mkdtempSync(join(tmpdir(), 'rkt-guest-'));

  /** A root with busybox and all its applets in /bin. */
  busybox(name: string): string {
    const root = join(this.directory, name);
    for (const part of ['bin', 'etc', 'tmp']) mkdirSync(join(root, part), { recursive: true });
    try {
      copyFileSync(BUSYBOX, join(root, 'bin', 'busybox'));
    } catch (cause) {
      throw new Error(`no ${BUSYBOX}: apt-get install busybox-static`, { cause });
    }
    const applets = execFileSync(BUSYBOX, ['--list'], { encoding: 'utf8' }).trim().split('\n');
    for (const applet of applets.filter((name) => name !== 'busybox'))
      symlinkSync('busybox', join(root, 'bin', applet));
    return root;
  }

  [Symbol.dispose](): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

const MOUNTS: readonly MountPlanEntry[] = [
  { kind: 'filesystem', type: 'proc', target: '/proc', flags: ['nosuid', 'nodev', 'noexec'], data: '' },
  { kind: 'dev', target: '/dev' },
];

const PROCESS: Omit<ProcessPlan, 'argv'> = {
  env: ['PATH=/bin', 'HOME=/root'],
  workingDirectory: '/',
  uid: 0,
  gid: 0,
  groups: [],
  umask: 0o022,
  capabilities: [0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31],
  noNewPrivileges: false,
  seccomp: null,
  rlimits: [],
  oomScoreAdj: null,
};

export function processPlan(argv: readonly string[], changes: Partial<ProcessPlan> = {}): ProcessPlan {
  return { ...PROCESS, argv, ...changes };
}

export function shell(script: string, changes: Partial<ProcessPlan> = {}): ProcessPlan {
  return processPlan(['/bin/sh', '-c', script], changes);
}

/** Streams of the app with this number: 10 × number, and the two after. */
export function pipes(number: number, stdin = false): AppPlan['streams'] {
  return {
    kind: 'pipes',
    stdin: stdin ? number * 10 : null,
    stdout: number * 10 + 1,
    stderr: number * 10 + 2,
  };
}

export function appPlan(
  name: string,
  root: string,
  process: ProcessPlan,
  changes: Partial<AppPlan> = {},
): AppPlan {
  return {
    name,
    root: { kind: 'directory', path: root },
    readOnlyRoot: false,
    mounts: MOUNTS,
    files: [],
    covers: [],
    process,
    handlers: NO_HANDLERS,
    limits: NO_LIMITS,
    streams: pipes(1),
    notify: false,
    restart: NO_RESTART,
    ...changes,
  };
}

export function bootPlan(apps: readonly AppPlan[], changes: Partial<BootPlan> = {}): BootPlan {
  return {
    hostname: 'pod-under-test',
    machine: null,
    network: NO_NETWORK,
    apps,
    stopGraceSeconds: 5,
    staysWhenEmpty: false,
    names: '',
    sysctls: [],
    volumes: [],
    strict: false,
    ...changes,
  };
}
