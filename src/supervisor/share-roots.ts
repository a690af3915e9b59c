/**
 * Apps' roots in the share of a running machine, where the guest may have put anything by any name: no link is followed there, and
 * what is mounted is held by a descriptor, since the guest can give its directory another name.
 */
import type { MountStep } from '../abi/mount-plan.ts';
import { SystemError } from '../native/errors.ts';
import { close, File, open, open_ } from '../native/files.ts';
import { unmount } from '../native/mounts.ts';
import { mkdir, rmdir } from '../native/paths.ts';
import { chdir } from '../native/processes.ts';
import { fstat } from '../native/stat.ts';
import { SupervisorError } from './error.ts';
import { executeStepAt, restrictBound } from './mount-execution.ts';

const DIRECTORY = open_.path | open_.directory | open_.noFollow;
const ROOTFS = 'rootfs';

export class ShareRoots {
  /** What is mounted, by its app. */
  readonly #mounted = new Map<string, File>();

  /**
   * `share` is the path of the share's directory, from the pod's, which is the current one. `setUserId`: whether programs there make
   * their callers somebody else for who sees this very mount.
   */
  constructor(
    private readonly share: string,
    private readonly setUserId: boolean,
  ) {}

  /** By descriptor. For an app whose root is not mounted here that is the directory in its place. @throws SystemError */
  open(app: string): File {
    const mounted = this.#mounted.get(app);
    if (mounted !== undefined) return File.open('.', DIRECTORY, 0, mounted.fd);
    using share = File.open(this.share, DIRECTORY);
    using directory = File.open(app, DIRECTORY, 0, share.fd);
    return File.open(ROOTFS, DIRECTORY, 0, directory.fd);
  }

  isMounted(app: string): boolean {
    return this.#mounted.has(app);
  }

  /** @throws SystemError, SupervisorError `refused` when the guest is in the way */
  mount(app: string, step: MountStep): void {
    using share = File.open(this.share, DIRECTORY);
    using directory = openOrMake(app, share.fd);
    using place = openOrMake(ROOTFS, directory.fd);
    executeStepAt(step, place.fd, this.setUserId);
    const root = File.open(ROOTFS, DIRECTORY, 0, directory.fd);
    if (fstat(root.fd).mountId === fstat(place.fd).mountId) {
      close(root.fd);
      throw new SupervisorError('refused', `the guest has taken the place of the root of app ${app}`);
    }
    this.#mounted.set(app, root);
    restrictBound(step, root.fd);
  }

  /** Also for virtiofsd, though it has files there open. */
  unmount(app: string): void {
    const root = this.#mounted.get(app);
    if (root === undefined) return;
    using here = File.open('.', open_.path | open_.directory);
    chdir(root.fd);
    try {
      unmount('.', 'detach');
    } finally {
      chdir(here.fd);
    }
    close(root.fd);
    this.#mounted.delete(app);
  }

  /** Where the root was mounted. */
  removePlace(app: string): void {
    ifPossible(() => {
      using share = File.open(this.share, DIRECTORY);
      using directory = File.open(app, DIRECTORY, 0, share.fd);
      rmdir(ROOTFS, directory.fd);
    });
  }

  /** What that was in, unless the guest has put something there. */
  removeDirectory(app: string): void {
    ifPossible(() => {
      using share = File.open(this.share, DIRECTORY);
      rmdir(app, share.fd);
    });
  }
}

function openOrMake(name: string, parent: number): File {
  ifPossible(() => mkdir(name, 0o755, parent));
  return new File(open(name, DIRECTORY, 0, parent));
}

function ifPossible(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
  }
}
