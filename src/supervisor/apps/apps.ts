import type { AppPlan, BootPlan, RestartPlan } from '../../abi/boot-plan.ts';
import { startFailureCode } from '../../abi/exit-code.ts';
import type { IdRange } from '../../abi/id-range.ts';
import type { MadeVolume } from '../../abi/made-volumes.ts';
import { NO_NETWORK } from '../../abi/network-plan.ts';
import type { Notice } from '../../abi/notify.ts';
import { formatRestart } from '../../abi/restart.ts';
import type { AppRelaxations, RunArguments } from '../../abi/stage1.ts';
import type { EnvironmentVariable } from '../../appc/index.ts';
import { environment } from '../../native/engine.ts';
import type { Loop } from '../../native/loop.ts';
import { AppLives } from '../app-lives.ts';
import { AppLogs } from '../app-logs.ts';
import type { AppEndpoints } from '../attach-session.ts';
import { SupervisorError } from '../error.ts';
import { recordAppFacts } from '../facts.ts';
import { PodNames } from '../network/names.ts';
import { checkCapabilities } from '../plan/capabilities.ts';
import { imageUsers } from '../plan/image-users.ts';
import { refuseUnenforced, unenforced } from '../plan/isolators.ts';
import { type AppFacts, type Housing, planApp, planPod } from '../plan/plan.ts';
import type { Pod, PodApp } from '../plan/pod.ts';
import { type PodLimits, podLimits } from '../plan/pod-limits.ts';
import { type KernelShare, refusedSysctls } from '../plan/sysctls.ts';
import { checkInside, type Identity, resolveIdentity } from '../plan/users.ts';
import type { Report } from '../report.ts';
import { checkFilter } from '../seccomp/app-filter.ts';
import { ServiceManager } from '../service-manager.ts';
import type { Session } from '../session.ts';
import type { AppEvents } from '../session-events.ts';
import { recordExit, recordReady } from '../status.ts';
import { PodVolumes } from '../volumes/pod-volumes.ts';
import { AppStreams } from './app-streams.ts';

/** The pod's apps: what is planned for them, where their output goes, and what is recorded of them. */
export class Apps {
  readonly #report: Report;
  readonly options: RunArguments;
  readonly housing: Housing;
  /** To be set before the plan is asked for. */
  network = NO_NETWORK;
  /** The same: what all apps find in their environment, whatever their images say. */
  environment: readonly EnvironmentVariable[] = [];
  readonly #pod: Pod;
  readonly #unenforced: readonly string[];
  /** What the pod is bounded by as a whole. */
  readonly limits: PodLimits;
  readonly #identities: Map<string, Identity>;
  readonly #streams: AppStreams;
  readonly names: PodNames;
  readonly volumes: PodVolumes;
  readonly #lives: AppLives;
  readonly #manager: ServiceManager;
  readonly #pids = new Map<string, number>();
  #session: Session | undefined;
  #kernel = '';

  /** @throws SupervisorError `unknown-user`, `unsupported`: before anything has been started */
  constructor(loop: Loop, report: Report, options: RunArguments, pod: Pod, housing: Housing) {
    this.#report = report;
    this.options = options;
    this.housing = housing;
    this.#pod = pod;
    const { isolators } = pod.manifest;
    this.limits = podLimits(
      pod.manifest,
      pod.apps.map(({ app }) => app),
    );
    const refused = refusedSysctls(isolators, kernelShareOf(options, housing));
    this.#unenforced = [...unenforced({ isolators, apps: pod.apps }), ...refused];
    if (options.strictIsolators) refuseUnenforced(this.#unenforced);
    this.volumes = new PodVolumes(report, options, housing);
    this.names = new PodNames(loop, report, options, pod);
    this.#lives = new AppLives(loop);
    this.#manager = new ServiceManager(loop, report);
    if (!options.disableCapabilitiesRestriction) pod.apps.forEach(checkCapabilitiesOf);
    if (!options.disableSeccomp) pod.apps.forEach(checkFilterOf);
    this.#identities = new Map(pod.apps.map((app) => [app.name, identityOf(app, options.privateUsers)]));
    this.#streams = new AppStreams(
      loop,
      options.interactive,
      pod.apps.length > 1 || options.mutable,
      new AppLogs(pod.manifest, (message) => report.warn(message)),
    );
  }

  /** What PID 1 makes for an app that has come to the pod, once its plan is known. */
  madeFor(app: string): readonly MadeVolume[] {
    return this.volumes.madeFor(app, this.#identities.get(app));
  }

  /** Opens the apps' streams, and says what PID 1 does, which has told its kernel. */
  plan(session: Session, kernel: string): BootPlan {
    this.#session = session;
    this.#kernel = kernel;
    this.#lives.open(session);
    for (const line of this.#unenforced) this.#report.warn(line);
    const plan = planPod({
      hostname: this.#pod.hostname,
      apps: this.#pod.apps.map((app) => this.#factsOf(app, session)),
      housing: this.housing,
      term: environment('TERM') ?? 'xterm',
      restrictCapabilities: !this.options.disableCapabilitiesRestriction,
      ...this.#protection(undefined),
      filterCalls: !this.options.disableSeccomp,
      kernel,
      environment: this.environment,
      staysWhenEmpty: this.options.mutable,
      network: this.network,
      madeVolumes: this.volumes.made((app) => this.#identities.get(app)),
      covers: this.names.covers,
      names: this.names.open(session),
      isolators: this.#pod.manifest.isolators,
      strictIsolators: this.options.strictIsolators,
      kernelShare: kernelShareOf(this.options, this.housing),
    });
    for (const app of plan.apps) recordAppFacts(app);
    return plan;
  }

  /** Of an app that comes to a pod that runs, without `relaxed`. @throws SupervisorError `unknown-user`, `unsupported` */
  planMore(app: PodApp, session: Session, relaxed: AppRelaxations | undefined): AppPlan {
    const restrictCapabilities = !(
      this.options.disableCapabilitiesRestriction || relaxed?.disableCapabilitiesRestriction
    );
    const filterCalls = !(this.options.disableSeccomp || relaxed?.disableSeccomp);
    if (restrictCapabilities) checkCapabilitiesOf(app);
    if (filterCalls) checkFilterOf(app);
    this.#identities.set(app.name, identityOf(app, this.options.privateUsers));
    const plan = planApp(
      {
        hostname: this.#pod.hostname,
        housing: this.housing,
        term: environment('TERM') ?? 'xterm',
        restrictCapabilities,
        ...this.#protection(relaxed),
        filterCalls,
        kernel: this.#kernel,
        environment: this.environment,
        covers: this.names.covers,
        isolators: this.#pod.manifest.isolators,
      },
      this.#factsOf(app, session),
    );
    recordAppFacts(plan);
    return plan;
  }

  /** Devices of a pod with users of its own are the host's affair (`device-bounds.ts`). */
  #protection(relaxed: AppRelaxations | undefined) {
    const protectPaths = !(this.options.disablePaths || relaxed?.disablePaths);
    return {
      protectPaths,
      restrictDevices: protectPaths && this.options.privateUsers === null,
      makesDevices: this.housing.ownKernel || !this.volumes.isExposed,
    };
  }

  eventsOf(app: string): AppEvents {
    return {
      started: (pid) => {
        this.#pids.set(app, pid);
        this.#report.step(`app ${app} started`, { name: 'app', app });
        this.#lives.started(app, pid);
      },
      failed: (step, message) => {
        this.#report.say(`app ${app}: ${message}`);
        this.#ended(app, startFailureCode(step), false);
      },
      restarting: (restart) => {
        const { code, outOfMemory, delayMs, count } = restart;
        if (outOfMemory) this.#tellOutOfMemory(app);
        this.#pids.delete(app);
        this.#lives.restarting(app, restart);
        this.#report.step(`app ${app} ended with ${code}; restart ${count} in ${delayMs} ms`);
      },
      exited: (code, outOfMemory) => {
        this.#report.step(`app ${app} ended with ${code}`);
        if (outOfMemory) this.#tellOutOfMemory(app);
        this.#ended(app, code, outOfMemory);
      },
    };
  }

  /** What of an app can be attached to; undefined for one that has not been started. */
  endpointsOf(app: string): AppEndpoints | undefined {
    return this.#streams.endpointsOf(app);
  }

  /** Or they go on: what counts time for them must not while they have none. */
  standStill(paused: boolean): void {
    this.names.standStill(paused);
    if (paused) this.#lives.health.pause();
    else this.#lives.health.resume();
  }

  ready(): void {
    recordReady();
    this.#manager.ready();
  }

  /** One app's word is the pod's; of several each has its name before it. */
  notified(app: string, { state, status }: Notice): void {
    const isAlone = this.#pod.apps.length === 1;
    if (status !== null) this.#manager.status(isAlone ? status : `${app}: ${status}`);
    if (state === 'stopping' && isAlone) this.#manager.stopping();
  }

  stopping(): void {
    this.#lives.close();
    this.#manager.stopping();
  }

  whenWrittenOf(app: string, callback: () => void): void {
    this.#streams.whenWrittenOf(app, callback);
  }

  whenWritten(callback: () => void): void {
    this.#streams.whenWritten(callback);
  }

  close(): void {
    this.names.close();
    this.#lives.close();
    this.#streams.close();
  }

  #tellOutOfMemory(app: string): void {
    this.#report.warn(`app ${app}: out of memory: processes of it were killed`);
  }

  #ended(app: string, code: number, outOfMemory: boolean): void {
    this.#lives.exited(app, code, outOfMemory);
    recordExit(app, code);
    if (this.#session !== undefined) this.#streams.ended(this.#session, app);
  }

  #factsOf(
    { name, app, readOnlyRoot, restart, health, notify, umask, streams: modes }: PodApp,
    session: Session,
  ): AppFacts {
    this.#lives.expect(name, health);
    const identity = this.#identities.get(name) ?? { uid: 0, gid: 0, account: undefined };
    const streams = this.#streams.join(session, { app: name, pid: () => this.#pids.get(name) }, modes);
    if (streams.kind === 'terminal') refuseRestart(name, restart);
    const volumes = this.volumes.of(name);
    return { name, app, readOnlyRoot, volumes, identity, streams, restart, notify, umask };
  }
}

function kernelShareOf({ net, ipc }: RunArguments, { ownKernel }: Housing): KernelShare {
  return { ownKernel, hostNetwork: net === 'host', hostIpc: ipc === 'parent' };
}

/** A terminal goes with the process that it was opened for. */
function refuseRestart(app: string, restart: RestartPlan): void {
  if (restart.policy === 'no') return;
  throw new SupervisorError(
    'unsupported',
    `app ${app}: restart=${formatRestart(restart)} does not go with a terminal`,
  );
}

function identityOf({ app, rootfs, name }: PodApp, ids: IdRange | null): Identity {
  return ofApp(name, () => {
    const identity = resolveIdentity(app, imageUsers(rootfs, ids));
    if (ids !== null) checkInside([identity.uid, identity.gid, ...app.supplementaryGIDs], ids);
    return identity;
  });
}

function checkCapabilitiesOf({ app, name }: PodApp): void {
  ofApp(name, () => checkCapabilities(app.isolators));
}

function checkFilterOf({ app, name }: PodApp): void {
  ofApp(name, () => checkFilter(app.isolators));
}

function ofApp<T>(name: string, action: () => T): T {
  try {
    return action();
  } catch (cause) {
    if (!(cause instanceof SupervisorError)) throw cause;
    throw new SupervisorError(cause.code, `app ${name}: ${cause.message}`, { cause });
  }
}
