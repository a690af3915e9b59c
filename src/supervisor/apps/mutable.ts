import { AbiError } from '../../abi/json.ts';
import { parseMountPlan } from '../../abi/mount-plan.ts';
import { appRootfs, POD } from '../../abi/pod-directory.ts';
import type { Secrets } from '../../abi/secrets.ts';
import type { AppRelaxations, RunArguments } from '../../abi/stage1.ts';
import { AppcError, isACName } from '../../appc/index.ts';
import { readText } from '../../native/contents.ts';
import { SystemError } from '../../native/errors.ts';
import type { Loop } from '../../native/loop.ts';
import { SupervisorError } from '../error.ts';
import { refuseUnenforced, unenforcedLater } from '../plan/isolators.ts';
import { STOP_GRACE_SECONDS } from '../plan/plan.ts';
import { type PodApp, readPod, SHARE_DIRECTORY } from '../plan/pod.ts';
import type { Report } from '../report.ts';
import type { Session } from '../session.ts';
import type { AppEvents } from '../session-events.ts';
import { ShareRoots } from '../share-roots.ts';
import { forgetExit } from '../status.ts';
import { NO_SECRETS } from '../volumes/given-secrets.ts';
import type { Apps } from './apps.ts';

export type Outcome = { readonly kind: 'done' } | { readonly kind: 'failed'; readonly message: string };

/** What comes with an app. */
export interface Addition {
  readonly relaxations: AppRelaxations | null;
  readonly secrets: Secrets;
}

type Tell = (outcome: Outcome) => void;

/** What PID 1 may need to let go of an app's root. */
const FORGET_SECONDS = 10;
/** What whoever reads the pod's output may need to take the last of an app's. */
const QUIET_SECONDS = 5;
const DONE: Outcome = { kind: 'done' };

/** What the pod is made of, for its apps that come and go. */
export interface MutableSurroundings {
  readonly loop: Loop;
  readonly report: Report;
  readonly options: RunArguments;
  readonly apps: Apps;
  readonly session: Session;
}

/**
 * The apps of a mutable pod, as commands ask for them: brought into what it lives in, started, ended, taken out. Who commands holds
 * the pod's mutation lock, except to stop an app; what is asked twice is done once.
 */
export class MutableApps {
  readonly #pod: MutableSurroundings;
  readonly #roots: ShareRoots;
  readonly #relaxations = new Map<string, AppRelaxations>();
  /** Apps whose roots PID 1 has seen, and remembers. */
  readonly #remembered = new Set<string>();
  /** Apps of which it has been said what does not hold for them. */
  readonly #told = new Set<string>();
  readonly #leaving = new Set<string>();
  readonly #whenStarted = new Map<string, Tell[]>();
  readonly #whenOver = new Map<string, (() => void)[]>();

  constructor(pod: MutableSurroundings) {
    this.#pod = pod;
    this.#roots = new ShareRoots(SHARE_DIRECTORY, !pod.apps.housing.ownKernel);
  }

  /** Brings the root of an app to PID 1, as the mount plan says by now. @throws SupervisorError, SystemError */
  add(app: string, { relaxations, secrets }: Addition, tell: Tell): void {
    this.#checkStays(app);
    if (this.#pod.session.isAlive(app)) throw refused(`app ${app} is running`);
    // What an earlier command left when it was cut short.
    this.#leave(app, () =>
      attempt(tell, () => {
        if (relaxations !== null) this.#relaxations.set(app, relaxations);
        this.#bring(app, secrets);
        tell(DONE);
      }),
    );
  }

  /**
   * Tells when its program runs; at once if it does. Who is gone by the time that it could be started wants it no more: nobody
   * holds the pod's lock for it. @throws SupervisorError, SystemError
   */
  start(app: string, tell: Tell, isGone: () => boolean): void {
    this.#checkStays(app);
    const { session } = this.#pod;
    if (session.isRunning(app)) tell(DONE);
    else if (session.isAlive(app)) waiting(this.#whenStarted, app).push(tell);
    else
      this.#whenQuiet(app, () => {
        if (!isGone()) attempt(tell, () => this.#begin(this.#find(app), tell));
      });
  }

  /** Tells when it is over; at once if it is. @throws SupervisorError */
  stop(app: string, tell: Tell): void {
    this.#check(app);
    this.#end(app, () => tell(DONE));
  }

  /** Ends it, and takes its root away from PID 1. @throws SupervisorError, SystemError */
  remove(app: string, tell: Tell): void {
    this.#checkStays(app);
    this.#leaving.add(app);
    const told: Tell = (outcome) => {
      this.#leaving.delete(app);
      tell(outcome);
    };
    const remove = () =>
      this.#leave(app, () => {
        this.#roots.removeDirectory(app);
        this.#relaxations.delete(app);
        this.#told.delete(app);
        told(DONE);
      });
    this.#end(app, () => attempt(told, remove));
  }

  /** What becomes of an app, for who waits for that. */
  eventsOf(app: string, events: AppEvents): AppEvents {
    return {
      started: (pid) => {
        events.started(pid);
        this.#tellStarted(app, DONE);
      },
      failed: (step, message) => {
        events.failed(step, message);
        this.#tellStarted(app, { kind: 'failed', message });
        this.#tellOver(app);
      },
      restarting: (restart) => events.restarting(restart),
      exited: (code, outOfMemory) => {
        events.exited(code, outOfMemory);
        this.#tellStarted(app, { kind: 'failed', message: 'it was stopped before it had started' });
        this.#tellOver(app);
      },
    };
  }

  /** A name becomes a path here. */
  #check(app: string): void {
    if (!this.#pod.options.mutable)
      throw refused('the pod is not mutable: only those of "rkt app sandbox" are');
    if (this.#pod.session.plan === undefined) throw refused('the pod is still starting');
    if (!isACName(app)) throw refused(`${JSON.stringify(app)} is no name of an app`);
  }

  #checkStays(app: string): void {
    this.#check(app);
    if (this.#leaving.has(app)) throw refused(`app ${app} is being removed`);
  }

  #find(app: string): PodApp {
    const found = readPod(this.#pod.options).apps.find(({ name }) => name === app);
    if (found === undefined) throw refused(`no app ${JSON.stringify(app)} in the pod`);
    return found;
  }

  #begin(app: PodApp, tell: Tell): void {
    const { name } = app;
    const { apps, session } = this.#pod;
    if (session.isAlive(name)) {
      // Others have asked for it while this one waited.
      if (session.isRunning(name)) tell(DONE);
      else waiting(this.#whenStarted, name).push(tell);
      return;
    }
    this.#tell(app);
    this.#bring(name, NO_SECRETS);
    using root = this.#roots.open(name);
    const plan = apps.planMore(
      { ...app, rootfs: `/proc/self/fd/${root.fd}` },
      session,
      this.#relaxations.get(name),
    );
    forgetExit(name);
    waiting(this.#whenStarted, name).push(tell);
    this.#remembered.add(name);
    session.startApp(plan, apps.madeFor(name));
  }

  /** @throws SupervisorError `unsupported` in a pod that is strict */
  #tell(app: PodApp): void {
    const { options, report } = this.#pod;
    const lines = unenforcedLater(app);
    if (options.strictIsolators) refuseUnenforced(lines);
    if (!this.#told.has(app.name)) for (const line of lines) report.warn(line);
    this.#told.add(app.name);
  }

  /** A pod without overlays has its apps' roots in the share already. */
  #bring(app: string, secrets: Secrets): void {
    if (this.#roots.isMounted(app)) return;
    const plan = parseMountPlan(JSON.parse(readText(POD.mountPlan)));
    const step = plan.mounts.find(({ target }) => target === appRootfs(app));
    if (step !== undefined) this.#roots.mount(app, step);
    else this.#roots.open(app)[Symbol.dispose]();
    this.#pod.apps.volumes.add(app, secrets);
  }

  #end(app: string, over: () => void): void {
    const { session } = this.#pod;
    const quiet = () => this.#whenQuiet(app, over);
    if (!session.isAlive(app)) {
      quiet();
      return;
    }
    waiting(this.#whenOver, app).push(quiet);
    session.stopApp(app, STOP_GRACE_SECONDS);
  }

  /** When the output of an app that is over has been written. Who does not read it is not waited for long. */
  #whenQuiet(app: string, then: () => void): void {
    const { apps, loop } = this.#pod;
    const once = onlyOnce(then);
    const deadline = loop.after(QUIET_SECONDS * 1000, once);
    apps.whenWrittenOf(app, () => {
      deadline.cancel();
      once();
    });
  }

  /** Takes the root of an app that does not run away from the guest, which then forgets what it has seen of it. */
  #leave(app: string, gone: () => void): void {
    if (this.#roots.isMounted(app)) {
      this.#roots.unmount(app);
      this.#roots.removePlace(app);
    }
    this.#pod.apps.volumes.remove(app);
    if (!this.#remembered.delete(app)) {
      gone();
      return;
    }
    const { apps, loop, report, session } = this.#pod;
    const once = onlyOnce(gone);
    const deadline = loop.after(FORGET_SECONDS * 1000, () => {
      report.warn(`guest: it does not let go of the root of app ${app}`);
      once();
    });
    session.forgetApp(app, apps.housing.root(app), () => {
      deadline.cancel();
      once();
    });
  }

  #tellStarted(app: string, outcome: Outcome): void {
    for (const tell of take(this.#whenStarted, app)) tell(outcome);
  }

  #tellOver(app: string): void {
    for (const over of take(this.#whenOver, app)) over();
  }
}

/** The last ones are of a mount plan that cannot be read, or has more layers than can be mounted. */
const REFUSALS = [SupervisorError, SystemError, AppcError, AbiError, SyntaxError, RangeError];

/** Errors that are an answer to who has asked. */
export function isRefusal(error: unknown): error is Error {
  return REFUSALS.some((known) => error instanceof known);
}

/** For what is done later: whoever is still to be told hears of errors, too. */
function attempt(tell: Tell, action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!isRefusal(error)) throw error;
    tell({ kind: 'failed', message: error.message });
  }
}

function refused(message: string): SupervisorError {
  return new SupervisorError('refused', message);
}

function onlyOnce(action: () => void): () => void {
  let rest: (() => void) | undefined = action;
  return () => {
    const now = rest;
    rest = undefined;
    now?.();
  };
}

function waiting<T>(table: Map<string, T[]>, app: string): T[] {
  const list = table.get(app) ?? [];
  table.set(app, list);
  return list;
}

function take<T>(table: Map<string, T[]>, app: string): readonly T[] {
  const list = table.get(app) ?? [];
  table.delete(app);
  return list;
}
