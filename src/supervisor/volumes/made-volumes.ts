/** Volumes that PID 1 makes itself: what it is told of them, and what its machine needs for them. */
import {
  type FurtherVolumePlan,
  SECRETS_MAX_BYTES,
  type SecretVolumePlan,
} from '../../abi/further-volumes.ts';
import { type MadeVolume, madeVolumePath } from '../../abi/made-volumes.ts';
import type { Secrets } from '../../abi/secrets.ts';
import type { PodVolume, VolumeMount } from '../../abi/volume-plan.ts';
import { type Disk, reopenAlone } from '../disks/disk.ts';
import { SupervisorError } from '../error.ts';
import type { HostSide } from '../network/host-side.ts';
import type { Identity } from '../plan/users.ts';
import { openVolumeDisk } from './further-volumes.ts';
import { givenSecrets } from './given-secrets.ts';

/** A disk of the machine's, by fd. */
export interface MachineDisk extends Pick<Disk, 'fd' | 'kind'> {
  readonly serial: string;
  readonly readOnly: boolean;
  /** What the guest wants to have on the disk need not outlive the host. */
  readonly isPassing?: boolean;
}

type Made = Extract<FurtherVolumePlan, { kind: 'tmpfs' | 'secret' | 'limited' | 'block' }>;

/** Whether PID 1 makes it. With a kernel of its own it has disks; otherwise they are the host's to mount. */
export function isMade(volume: PodVolume, ownKernel: boolean): volume is Made {
  switch (volume.kind) {
    case 'tmpfs':
    case 'secret':
      return true;
    case 'limited':
    case 'block':
      return ownKernel;
    case 'host':
    case 'empty':
    case 'named':
      return false;
    default:
      return volume satisfies never;
  }
}

export class MadeVolumes {
  readonly #volumes = new Map<string, Made>();
  readonly #disks: MachineDisk[] = [];
  /** Secrets of apps that have come later, by their keys. */
  readonly #late = new Map<string, string>();

  /** Those whose fds are for the machine; taken over. */
  get disks(): readonly MachineDisk[] {
    return this.#disks;
  }

  /** @throws SupervisorError `bad-disk`, `bad-pod` */
  take(volume: Made, host: HostSide | undefined): void {
    this.#volumes.set(volume.key, volume);
    if (volume.kind !== 'limited' && volume.kind !== 'block') return;
    const disk = openVolumeDisk(volume, host);
    const { fd, kind } = volume.readOnly ? disk : reopenAlone(`volume ${volume.key}`, disk);
    this.#disks.push({ fd, kind, serial: serialOf(this.#disks.length), readOnly: isReadOnly(volume) });
  }

  /** Of an app that has come to the pod: a machine gets no more disks then. @throws SupervisorError `unsupported`, `bad-volume` */
  takeLate(volume: Made, secrets: Secrets): void {
    if (volume.kind === 'limited' || volume.kind === 'block') throw tooLate(volume);
    const content = secrets.get(volume.key);
    if (content !== undefined) {
      refuseTooMuch(volume.key, [...this.#late.values(), content]);
      this.#late.set(volume.key, content);
    }
    this.#volumes.set(volume.key, volume);
  }

  /** Of an app that has gone. */
  drop(key: string): void {
    this.#volumes.delete(key);
    this.#late.delete(key);
  }

  /** In PID 1's root, for an app that has it; undefined where it is not made by PID 1. */
  pathOf(key: string, app: string): string | undefined {
    const volume = this.#volumes.get(key);
    return volume && madeVolumePath(placeOf(volume, app));
  }

  /** What PID 1 is told. */
  plan(mounts: readonly VolumeMount[], identityOf: (app: string) => Identity | undefined): MadeVolume[] {
    const disks = [...this.#volumes.values()].filter(({ kind }) => kind === 'limited' || kind === 'block');
    return [...this.#volumes.values()].flatMap((volume): MadeVolume[] => {
      switch (volume.kind) {
        case 'tmpfs': {
          const { kind, key: name, bytes, mode, uid, gid } = volume;
          return [{ kind, name, bytes, mode, uid, gid }];
        }
        case 'limited':
        case 'block': {
          const serial = serialOf(disks.indexOf(volume));
          const fresh = volume.kind === 'limited' ? topOf(volume) : null;
          return [{ kind: 'disk', name: volume.key, serial, readOnly: isReadOnly(volume), fresh }];
        }
        case 'secret': {
          const apps = new Set(mounts.filter((mount) => mount.volume === volume.key).map(({ app }) => app));
          const content = this.#late.get(volume.key) ?? givenSecrets().get(volume.key);
          return [...apps].map((app) => secretFor(volume, app, identityOf(app), content));
        }
        default:
          return volume satisfies never;
      }
    });
  }
}

/** A new one is written to, by who makes it. */
function isReadOnly(volume: Made): boolean {
  return volume.kind === 'block' && volume.readOnly;
}

function topOf({ mode, uid, gid }: Extract<Made, { kind: 'limited' }>) {
  return { mode, uid, gid };
}

function tooLate({ key, kind }: Made): SupervisorError {
  const shown = kind === 'limited' ? 'empty, with a size,' : kind;
  return new SupervisorError(
    'unsupported',
    `volume ${key}: a volume of kind ${shown} cannot come to a machine that runs`,
  );
}

/** What one app brings stage0 has counted; of those before it only the supervisor knows. */
function refuseTooMuch(key: string, secrets: readonly string[]): void {
  const bytes = secrets.reduce((total, content) => total + decodedLength(content), 0);
  if (bytes <= SECRETS_MAX_BYTES) return;
  throw new SupervisorError(
    'bad-volume',
    `volume ${key}: secrets of the pod's apps would have ${bytes} bytes together: ${SECRETS_MAX_BYTES} at most`,
  );
}

/** Of base64. */
function decodedLength(text: string): number {
  return Math.floor((text.replace(/=+$/, '').length * 3) / 4);
}

/** In the order in which the machine has them. */
function serialOf(index: number): string {
  return `rkt-${index}`;
}

/** Each app has a secret for itself, whose owner is its user. No name of an app has an `@`. */
function placeOf({ kind, key }: Made, app: string): Pick<MadeVolume, 'kind' | 'name'> {
  if (kind === 'secret') return { kind, name: `${key}@${app}` };
  return { kind: kind === 'tmpfs' ? kind : 'disk', name: key };
}

function secretFor(
  volume: SecretVolumePlan,
  app: string,
  identity: Identity | undefined,
  content: string | undefined,
): MadeVolume {
  if (content === undefined) throw new SupervisorError('bad-pod', `volume ${volume.key}: it is not given`);
  const { kind, mode, uid, gid } = volume;
  const { name } = placeOf(volume, app);
  return { kind, name, content, mode, uid: uid ?? identity?.uid ?? 0, gid: gid ?? identity?.gid ?? 0 };
}
