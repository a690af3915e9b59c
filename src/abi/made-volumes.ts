/**
 * Volumes that PID 1 makes itself, below a directory of its own, from where apps have them: the pod's before any app (`BootPlan.volumes`),
 * those of an app that comes later with its start.
 */

/** A plain name, the only one of its kind in the pod. */
interface MadeVolumeBase {
  readonly name: string;
}

/** What the top of something new is like. */
export interface MadeTop {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

export type MadeVolume =
  /** `bytes` null: half of the memory. */
  | (MadeVolumeBase & MadeTop & { readonly kind: 'tmpfs'; readonly bytes: number | null })
  /** A file system on a disk of the machine, which says that it is `serial`. `fresh`: it is new, and has nothing in it. */
  | (MadeVolumeBase & {
      readonly kind: 'disk';
      readonly serial: string;
      readonly readOnly: boolean;
      readonly fresh: MadeTop | null;
    })
  /** A file in memory that is never written to a disk. `content`: base64. */
  | (MadeVolumeBase & MadeTop & { readonly kind: 'secret'; readonly content: string });

/** In PID 1's root. */
export const MADE_VOLUMES = '/volumes';

/** Whether it is one that the app has for itself, by its `APP.NAME`: no name of an app has a dot. */
export function isOwnVolume(name: string, app: string): boolean {
  return name.startsWith(`${app}.`);
}

export function madeVolumePath({ kind, name }: Pick<MadeVolume, 'kind' | 'name'>): string {
  return `${MADE_VOLUMES}/${kind}/${name}`;
}
