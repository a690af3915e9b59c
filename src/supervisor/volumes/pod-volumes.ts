import type { DeviceRule, VolumeSourcePlan } from '../../abi/boot-plan.ts';
import { isOwnVolume, type MadeVolume } from '../../abi/made-volumes.ts';
import type { Secrets } from '../../abi/secrets.ts';
import type { RunArguments } from '../../abi/stage1.ts';
import { NO_VOLUMES, type PodVolume, type VolumePlan } from '../../abi/volume-plan.ts';
import { close } from '../../native/files.ts';
import { SupervisorError } from '../error.ts';
import { HostSide } from '../network/host-side.ts';
import type { Housing } from '../plan/plan.ts';
import { SHARE_DIRECTORY } from '../plan/pod.ts';
import type { Identity } from '../plan/users.ts';
import type { Report } from '../report.ts';
import type { AppVolumes } from './app-volumes.ts';
import { isMade, type MachineDisk, MadeVolumes } from './made-volumes.ts';
import { type OpenVolume, openVolume } from './open-volume.ts';
import { readVolumePlan, shallowFirst } from './record.ts';
import { SharePlaces } from './share-places.ts';

/** The pod's volumes: taken where they are, shown to PID 1, and found there by its apps. */
export class PodVolumes {
  readonly #places = new SharePlaces(SHARE_DIRECTORY);
  /** Taken, and not yet shown. */
  #open: OpenVolume[] = [];
  readonly #devices = new Map<string, DeviceRule>();
  readonly #made = new MadeVolumes();
  #plan: VolumePlan = NO_VOLUMES;

  constructor(
    private readonly report: Report,
    private readonly options: RunArguments,
    private readonly housing: Housing,
  ) {}

  /** Whether there is, or may be, anything that others of the host change as well. */
  get isShared(): boolean {
    return this.options.mutable || this.#plan.volumes.some(({ kind }) => kind === 'host' || kind === 'named');
  }

  /**
   * Whether apps write, or may come to write, where others of the host get as well; not where that was asked for as it is. Of one pod's
   * apps each reaches the other's files.
   */
  get isExposed(): boolean {
    const isExposed = (volume: PodVolume) =>
      volume.kind === 'host' && !volume.readOnly && volume.idMap !== 'none';
    return this.options.mutable || this.#plan.volumes.some(isExposed);
  }

  /** Those that are volumes themselves, of all apps together. */
  get devices(): readonly DeviceRule[] {
    return [...this.#devices.values()];
  }

  /** Takes all that the pod has. @throws SupervisorError `bad-volume`, `unsupported`, `bad-pod`; nothing has been made then */
  open(): void {
    this.#plan = readVolumePlan();
    for (const volume of this.#plan.volumes) this.#take(volume, 'at the start');
  }

  /** Shows what was taken, in the share, which is there by now. @throws SystemError */
  attach(): void {
    for (let volume = this.#open[0]; volume !== undefined; volume = this.#open[0]) {
      this.#places.attach(volume);
      this.#open.shift();
    }
  }

  /** What an app has for itself, which has come to the pod with these secrets. What is there already stays. @throws as `open` */
  add(app: string, secrets: Secrets): void {
    this.#plan = readVolumePlan();
    const isNew = (volume: PodVolume) => isOwnVolume(volume.key, app) && !this.#has(volume.key, app);
    try {
      for (const volume of this.#plan.volumes.filter(isNew)) {
        if (isMade(volume, this.housing.ownKernel)) this.#made.takeLate(volume, secrets);
        else this.#take(volume, 'late');
      }
      this.attach();
    } finally {
      // What was taken before another could not be.
      for (const { mount, disk } of this.#open.splice(0)) {
        close(mount);
        disk?.[Symbol.dispose]();
      }
    }
  }

  /** Takes them away again. */
  remove(app: string): void {
    for (const { key } of this.#plan.volumes.filter(({ key }) => isOwnVolume(key, app))) {
      this.#places.detach(key);
      this.#made.drop(key);
    }
  }

  of(app: string): AppVolumes {
    const mounts = this.#plan.mounts.filter((mount) => mount.app === app);
    return {
      mounts: shallowFirst(mounts).map(({ volume, target, readOnly, subPath, seed }) => ({
        ...{ kind: 'volume', source: this.#sourceOf(volume, app), target, readOnly, subPath, seed },
      })),
      devices: mounts.flatMap(({ volume }) => this.#devices.get(volume) ?? []),
    };
  }

  /** What PID 1 is told to make. To be asked for once. */
  made(identityOf: (app: string) => Identity | undefined): readonly MadeVolume[] {
    return this.#made.plan(this.#plan.mounts, identityOf);
  }

  /** Likewise, for an app that has come to the pod. */
  madeFor(app: string, identity: Identity | undefined): readonly MadeVolume[] {
    return this.#made.plan(this.#plan.mounts, () => identity).filter(({ name }) => isOwnVolume(name, app));
  }

  #has(key: string, app: string): boolean {
    return this.#places.pathOf(key) !== undefined || this.#made.pathOf(key, app) !== undefined;
  }

  /** Disks that a machine needs for them; its own from then on. */
  get disks(): readonly MachineDisk[] {
    return this.#made.disks;
  }

  #sourceOf(key: string, app: string): VolumeSourcePlan {
    const made = this.#made.pathOf(key, app);
    if (made !== undefined) return { kind: 'directory', path: made };
    const path = this.#places.pathOf(key);
    if (path === undefined) throw new SupervisorError('bad-volume', `volume ${key} is not there`);
    return this.housing.shared(path);
  }

  #take(volume: PodVolume, when: 'at the start' | 'late'): void {
    const { privateUsers: users } = this.options;
    const { ownKernel } = this.housing;
    const warn = (message: string) => this.report.warn(message);
    const host = HostSide.given();
    if (isMade(volume, ownKernel)) {
      this.#made.take(volume, host);
      return;
    }
    const opened = openVolume(volume, { host, ownKernel, users, warn });
    if (opened.device !== undefined && users !== null && when === 'late') {
      close(opened.mount);
      throw deviceTooLate(volume);
    }
    tellImplicit(volume, this.#plan, this.report);
    tellTrust(volume, warn);
    if (opened.device !== undefined) this.#devices.set(opened.key, opened.device);
    this.#open.push(opened);
  }
}

/** Which devices such a pod may use its host has said when it began (`device-bounds.ts`). */
function deviceTooLate({ key }: PodVolume): SupervisorError {
  return new SupervisorError(
    'unsupported',
    `volume ${key}: a device cannot come to a pod with users of its own that runs`,
  );
}

/** A file system is a program's input, and the kernel is that program: here it is the host's own. */
function tellTrust(volume: PodVolume, warn: (message: string) => void): void {
  if (volume.kind === 'block')
    warn(
      `volume ${volume.key}: the host's kernel reads the file system on ${volume.source}, and trusts who wrote it`,
    );
}

/** In rkt's words. */
function tellImplicit(volume: PodVolume, { mounts }: VolumePlan, report: Report): void {
  if (volume.kind !== 'empty' || volume.mountPoint === null) return;
  const name = JSON.stringify(volume.mountPoint);
  report.say(
    `warning: no volume specified for mount point ${name}, implicitly creating an "empty" volume. This volume will be removed when the pod is garbage-collected.`,
  );
  if (!mounts.some(({ volume: key, seed }) => seed && key === volume.key)) return;
  report.say(
    `Docker converted image, initializing implicit volume with data contained at the mount point ${name}.`,
  );
}
