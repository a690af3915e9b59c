import { type BootPlan, NO_RESTART } from '../src/abi/boot-plan.ts';
import { startFailureCode } from '../src/abi/exit-code.ts';
import type { RunArguments } from '../src/abi/stage1.ts';
import { realtime } from '../src/native/clock.ts';
import { environment } from '../src/native/engine.ts';
import type { Loop } from '../src/native/loop.ts';
import { randomBytes } from '../src/native/system.ts';
import { AppLogs } from '../src/supervisor/app-logs.ts';
import type { Report } from '../src/supervisor/report.ts';
import type { AppEvents, Session } from '../src/supervisor/session.ts';
import { recordExit, recordReady } from '../src/supervisor/status.ts';
import { AppStreams } from './app-streams.ts';
import { encodeBase64 } from './base64.ts';
import { KvmError } from './error.ts';
import { imageUsers } from './image-users.ts';
import { type AppFacts, planPod } from './plan.ts';
import type { Pod, PodApp } from './pod.ts';
import { type Identity, resolveIdentity } from './users.ts';

const ENTROPY_BYTES = 64;

/** The pod's apps: what is planned for them, where their output goes, and what is recorded of them. */
export class Apps {
  readonly #report: Report;
  readonly #options: RunArguments;
  readonly #pod: Pod;
  readonly #identities: ReadonlyMap<string, Identity>;
  readonly #streams: AppStreams;
  readonly #pids = new Map<string, number>();
  #session: Session | undefined;

  /** @throws KvmError `unknown-user`: before anything has been started */
  constructor(loop: Loop, report: Report, options: RunArguments, pod: Pod) {
    this.#report = report;
    this.#options = options;
    this.#pod = pod;
    this.#identities = new Map(pod.apps.map((app) => [app.name, identityOf(app)]));
    this.#streams = new AppStreams(
      loop,
      options.interactive,
      pod.apps.length > 1,
      new AppLogs(pod.manifest, (message) => report.warn(message)),
    );
  }

  /** Opens the apps' streams, and says what PID 1 does. */
  plan(session: Session): BootPlan {
    this.#session = session;
    return planPod({
      hostname: this.#pod.hostname,
      apps: this.#pod.apps.map((app) => this.#factsOf(app, session)),
      clock: realtime(),
      entropy: encodeBase64(randomBytes(ENTROPY_BYTES)),
      term: environment('TERM') ?? 'xterm',
      restrictCapabilities: !this.#options.disableCapabilitiesRestriction,
      protectPaths: !this.#options.disablePaths,
      staysWhenEmpty: false,
    });
  }

  eventsOf(app: string): AppEvents {
    return {
      started: (pid) => {
        this.#pids.set(app, pid);
        this.#report.step(`app ${app} started`);
      },
      failed: (step, message) => {
        this.#report.say(`app ${app}: ${message}`);
        this.#ended(app, startFailureCode(step));
      },
      restarting: ({ code, delayMs, count }) => {
        this.#pids.delete(app);
        this.#report.step(`app ${app} ended with ${code}; restart ${count} in ${delayMs} ms`);
      },
      exited: (code) => {
        this.#report.step(`app ${app} ended with ${code}`);
        this.#ended(app, code);
      },
    };
  }

  ready(): void {
    recordReady();
  }

  whenWritten(callback: () => void): void {
    this.#streams.whenWritten(callback);
  }

  close(): void {
    this.#streams.close();
  }

  #ended(app: string, code: number): void {
    recordExit(app, code);
    if (this.#session !== undefined) this.#streams.ended(this.#session, app);
  }

  #factsOf({ name, app, readOnlyRoot }: PodApp, session: Session): AppFacts {
    const identity = this.#identities.get(name) ?? { uid: 0, gid: 0, account: undefined };
    const streams = this.#streams.join(session, { app: name, pid: () => this.#pids.get(name) });
    return { name, app, readOnlyRoot, identity, streams, restart: NO_RESTART };
  }
}

function identityOf({ app, rootfs, name }: PodApp): Identity {
  try {
    return resolveIdentity(app, imageUsers(rootfs));
  } catch (cause) {
    if (!(cause instanceof KvmError)) throw cause;
    throw new KvmError(cause.code, `app ${name}: ${cause.message}`, { cause });
  }
}
