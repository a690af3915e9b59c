import type { Loop } from '../src/native/loop.ts';
import { signals } from '../src/native/signals.ts';
import { SpawnError, spawn } from '../src/native/spawn.ts';
import { AppLives } from '../src/supervisor/app-lives.ts';
import { joinFiles, openUnified, type PodCgroup } from '../src/supervisor/cgroup.ts';
import { SupervisorError } from '../src/supervisor/error.ts';
import type { PodApp } from '../src/supervisor/plan/pod.ts';
import type { Report } from '../src/supervisor/report.ts';
import { ServiceManager } from '../src/supervisor/service-manager.ts';
import { recordReady } from '../src/supervisor/status.ts';
import { becomeProgram, type FlyProcess, failureCode, identitySteps } from './process.ts';
import { hasTerminal, Relay } from './relay.ts';
import { enterRoot, finishRoot, type RootParts } from './root.ts';
import { attachVolumes } from './volumes.ts';

const VOLUMES = 'volumes';

export interface AppParts {
  readonly app: PodApp;
  readonly process: FlyProcess;
  readonly parts: RootParts;
  readonly cgroup: PodCgroup;
  /** Its standard streams. */
  readonly fds: readonly number[];
}

/** The app from its start to its exit code. */
export class AppRun {
  readonly #loop: Loop;
  readonly #report: Report;
  readonly #name: string;
  readonly #lives: AppLives;
  readonly #relay: Relay;
  readonly #sharesGroup = hasTerminal();

  constructor(loop: Loop, report: Report, parts: AppParts) {
    this.#loop = loop;
    this.#report = report;
    this.#name = parts.app.name;
    this.#lives = new AppLives(loop);
    const manager = new ServiceManager(loop, report);
    this.#relay = new Relay(loop, this.#sharesGroup, (signal) => {
      if (signal === signals.SIGTERM) manager.stopping();
    });
    if (this.#start(parts)) manager.ready();
  }

  /** Until it has ended; as a shell would see it. */
  wait(): number {
    const code = this.#loop.run();
    this.#lives.exited(this.#name, code, false);
    this.#report.step(`app ${this.#name} ended with ${code}`, { name: 'ended' });
    return code;
  }

  /** Whether it runs. */
  #start(parts: AppParts): boolean {
    const name = this.#name;
    try {
      const pid = this.#spawn(parts);
      this.#relay.open(pid);
      this.#lives.started(name, pid);
      this.#report.step(`app ${name} started`, { name: 'app', app: name });
      this.#loop.onExit(pid, ({ exit }) => {
        this.#relay.close();
        this.#loop.stop(exit.kind === 'exited' ? exit.code : 128 + exit.signal);
      });
    } catch (error) {
      if (!(error instanceof SpawnError)) throw error;
      if (error.step === VOLUMES) throw new SupervisorError('bad-volume', error.message, { cause: error });
      this.#report.say(`app ${name}: ${error.message}`);
      this.#loop.after(0, () => this.#loop.stop(failureCode(error.step)));
      return false;
    }
    recordReady();
    this.#report.step('ready', { name: 'ready' });
    return true;
  }

  /** In this order: a group's files and the pod's directory are the host's; root can do all; what changes ids would clear its death signal. */
  #spawn({ app, process, parts, cgroup, fds }: AppParts): number {
    using unified = openUnified(cgroup);
    return spawn({
      ...(unified && { group: unified.fd }),
      path: process.argv[0] ?? '',
      argv: process.argv,
      env: process.env,
      fds,
      steps: [
        ...(this.#sharesGroup ? [] : [{ do: 'process-group' } as const]),
        ...joinFiles(cgroup, 'v1').map((path) => ({ do: 'write', path, text: '0' }) as const),
        { do: 'call', name: 'root', action: () => enterRoot(app.rootfs, parts) },
        { do: 'call', name: VOLUMES, action: () => attachVolumes(parts.volumes) },
        { do: 'call', name: 'covers', action: () => finishRoot(app.readOnlyRoot, parts) },
        ...identitySteps(process),
        { do: 'parent-death-signal', signal: 'SIGKILL' },
        { do: 'call', name: 'exec', action: () => becomeProgram(process) },
      ],
    });
  }
}
