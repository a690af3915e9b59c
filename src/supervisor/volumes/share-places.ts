/** Where volumes are in the directory that PID 1 is given: below a name that no app has. A guest may have put there what it likes. */
import { SystemError } from '../../native/errors.ts';
import { close, File, open_ } from '../../native/files.ts';
import { attachMountAt, unmount } from '../../native/mounts.ts';
import { mkdir, rmdir, unlink } from '../../native/paths.ts';
import { chdir } from '../../native/processes.ts';
import type { OpenVolume } from './open-volume.ts';

const VOLUMES = '.volumes';
const PLACE = open_.path | open_.noFollow;
const DIRECTORY = PLACE | open_.directory;
const NEW_FILE = open_.writeOnly | open_.create | open_.exclusive | open_.noFollow;

export class SharePlaces {
  /** Of each volume its place, and the directory that is in. */
  readonly #taken = new Map<
    string,
    Pick<OpenVolume, 'isDirectory' | 'disk'> & { readonly place: string; readonly directory: number }
  >();
  #count = 0;

  /** `share` is the path of the share's directory, from the pod's, which is the current one. */
  constructor(private readonly share: string) {}

  /** Below the share. Undefined for a volume that is not there. */
  pathOf(key: string): string | undefined {
    const taken = this.#taken.get(key);
    return taken && `${VOLUMES}/${taken.place}`;
  }

  /**
   * Takes the mount over, unless it fails. A place has a new name each time: what a guest's kernel remembers of one is not true of another. @throws SystemError
   */
  attach(volume: OpenVolume): void {
    const { key, mount, isDirectory, disk } = volume;
    using share = File.open(this.share, DIRECTORY);
    ifPossible(() => mkdir(VOLUMES, 0o755, share.fd));
    using directory = File.open(VOLUMES, DIRECTORY, 0, share.fd);
    const place = `${this.#count++}.${key}`;
    if (isDirectory) mkdir(place, 0o755, directory.fd);
    else File.open(place, NEW_FILE, 0o644, directory.fd)[Symbol.dispose]();
    using target = File.open(place, PLACE, 0, directory.fd);
    attachMountAt(mount, target.fd);
    close(mount);
    const held = File.open('.', DIRECTORY, 0, directory.fd).fd;
    this.#taken.set(key, { place, directory: held, isDirectory, ...(disk && { disk }) });
  }

  /** Also for who has files there open. */
  detach(key: string): void {
    const taken = this.#taken.get(key);
    if (taken === undefined) return;
    const { place, directory, isDirectory, disk } = taken;
    using here = File.open('.', open_.path | open_.directory);
    chdir(directory);
    try {
      unmount(place, 'detach');
      ifPossible(() => (isDirectory ? rmdir(place) : unlink(place)));
    } finally {
      chdir(here.fd);
      close(directory);
      disk?.[Symbol.dispose]();
      this.#taken.delete(key);
    }
  }
}

function ifPossible(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
  }
}
