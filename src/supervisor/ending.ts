/** The last acts of a pod's supervisor, whatever has ended it: its exit code is recorded, and the pod removed where that was asked for. */
import { POD } from '../abi/pod-directory.ts';
import { parseRemoval, REMOVAL_ENV } from '../abi/removal.ts';
import { LOCK_FD_ENV } from '../abi/stage1.ts';
import { readText, writeFile } from '../native/contents.ts';
import { setCloseOnExec } from '../native/descriptors.ts';
import { environ, environment, exit, utf8Encode } from '../native/engine.ts';
import { unless } from '../native/errors.ts';
import { close, writeAll } from '../native/files.ts';
import { setNamespace } from '../native/mounts.ts';
import { waitFor } from '../native/processes.ts';
import { type SignalName, setDisposition } from '../native/signals.ts';
import { spawn } from '../native/spawn.ts';
import { SupervisorError } from './error.ts';
import { SUPERVISOR_GROUP } from './group-names.ts';

const STDERR = 2;
/** Of a pod that is no longer there, or whose file system a guest has just filled. */
const UNRECORDED = ['ENOENT', 'ENOTDIR', 'ENOSPC', 'EDQUOT', 'EROFS'];
const OURS: readonly string[] = [LOCK_FD_ENV, REMOVAL_ENV];
const ENDING_SIGNALS: readonly SignalName[] = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM'];

/** No child of a supervisor may have the namespaces that the pod was started in. @throws AbiError `bad-arguments` */
export function keepRemoval(): void {
  const text = environment(REMOVAL_ENV);
  if (text === undefined) return;
  const { mountNamespace, networkNamespace } = parseRemoval(text);
  for (const fd of [mountNamespace, networkNamespace]) setCloseOnExec(fd, true);
}

/** The current directory is the pod's. */
export function endPod(code: number): never {
  // Into the file that is there, which is waited for by those who hold it open.
  unless(UNRECORDED, () => writeFile(POD.exitCode, `${code}\n`, 0o640));
  const text = environment(REMOVAL_ENV);
  if (text !== undefined) remove(text);
  exit(code);
}

/** Where that fails the pod has ended as any other has, for `gc` to collect. */
function remove(text: string): void {
  try {
    const { mountNamespace, networkNamespace, command } = parseRemoval(text);
    const [path = ''] = command;
    // Whoever removes a pod ends what is left in its groups.
    if (readText('/proc/self/cgroup').includes(`/${SUPERVISOR_GROUP}`))
      throw new SupervisorError('not-removed', "the supervisor could not leave the pod's control group");
    // They asked for the pod's end, which it has had: the code that is waited for is the pod's.
    for (const signal of ENDING_SIGNALS) setDisposition(signal, 'ignore');
    setNamespace(networkNamespace, 'network');
    setNamespace(mountNamespace, 'mount');
    // Whoever removes a pod takes its lock.
    close(Number(environment(LOCK_FD_ENV)));
    // In a session of its own, which no terminal's keys reach: a Node program is defenceless while it starts.
    const steps = [{ do: 'session' }] as const;
    const pid = spawn({ path, argv: command, env: environ().filter(isTheirs), fds: [0, 1, STDERR], steps });
    waitFor(pid);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    unless(['EPIPE', 'EBADF', 'EIO', 'EAGAIN', 'ENOSPC'], () =>
      writeAll(STDERR, utf8Encode(`run: the pod is not removed: ${reason}\n`)),
    );
  }
}

function isTheirs(variable: string): boolean {
  return !OURS.some((name) => variable.startsWith(`${name}=`));
}
