/** How a child of PID 1 gets its view of the file system: an app of its own, an exec session of its app's. */
import type { AppPlan, SharePlan } from '../src/abi/boot-plan.ts';
import { unless } from '../src/native/errors.ts';
import { open, open_ } from '../src/native/files.ts';
import { writeMissingFile } from '../src/native/missing-file.ts';
import { setReadOnly } from '../src/native/mount-attributes.ts';
import { cloneMount, mount, ms, pivotRoot, setNamespace, unmount } from '../src/native/mounts.ts';
import { mkdir } from '../src/native/paths.ts';
import { chdir, chroot, umask } from '../src/native/processes.ts';
import { attachCovers, makeCovers } from './covers.ts';
import { openDevices, SHARED_MEMORY } from './devices.ts';
import { during, InitError } from './error.ts';
import { makeMount, openMounts } from './mounts.ts';
import { bindNotices } from './notices.ts';
import { rootDirectory } from './root-directory.ts';

/** An app's main process, and what it takes with it into the app's root. */
export interface AppDwelling {
  readonly app: AppPlan;
  readonly shares: readonly SharePlan[];
  /** The socket that it says in that it is ready; undefined where it does not. */
  readonly notices: number | undefined;
  /** Lines of other pods. */
  readonly names: string;
}

/**
 * Makes the app's root `/` in the mount namespace, which is its own already, then everything in it. The order matters: the old root is
 * gone before the first path of the image is looked up.
 */
export function enterRoot({ app, shares, notices, names }: AppDwelling): void {
  const { covers, opened, ...pod } = during('root', () => {
    // Nothing mounted here may show up elsewhere; what the host adds to a share still arrives.
    mount({ target: '/', flags: ms.recursive | ms.slave });
    const sharedMemory = cloneMount(SHARED_MEMORY, false);
    const devices = openDevices();
    const covers = makeCovers(app);
    const opened = openMounts(app.mounts, shares);
    pivotTo(rootDirectory(app.root, shares));
    return { devices, sharedMemory, covers, opened };
  });
  umask(0);
  for (const entry of app.mounts)
    during('mount', () => naming(entry.target, () => makeMount(entry, pod, opened)));
  if (notices !== undefined) during('mount', () => bindNotices(notices));
  // Programs count on it, and small images go without; rkt made it as well.
  during('files', () => unless(['EEXIST'], () => mkdir('/tmp', 0o1777)));
  for (const file of app.files) during('files', () => writeMissingFile(file));
  during('files', () => attachCovers(covers, app, names));
  if (app.readOnlyRoot) during('root', () => setReadOnly('/', 'alone'));
  umask(0o022);
}

/** The namespace and root of a process that lives (or is a zombie not yet reaped: then this fails with ENOENT). */
export function joinRoot(pid: number): void {
  during('root', () => {
    const root = open(`/proc/${pid}/root`, open_.path | open_.directory);
    setNamespace(open(`/proc/${pid}/ns/mnt`, open_.readOnly), 'mount');
    chdir(root);
    chroot('.');
    umask(0o022);
  });
}

/** One whose processes have ended: its root is that of an app's main process, whatever that one has made of its own. */
export function joinNamespace(namespace: number): void {
  during('root', () => {
    setNamespace(namespace, 'mount');
    umask(0o022);
  });
}

function pivotTo(directory: string): void {
  mount({ source: directory, target: directory, flags: ms.bind | ms.recursive });
  chdir(directory);
  // Old root and new root on one spot: the old one lies on top, is detached, and needs no directory in the image.
  pivotRoot('.', '.');
  unmount('.', 'detach');
  chdir('/');
}

function naming(target: string, action: () => void): void {
  try {
    action();
  } catch (cause) {
    if (cause instanceof Error && cause.message.includes(target)) throw cause;
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new InitError('mount', `${target}: ${message}`, { cause });
  }
}
