import type { Pod } from '../pod/pod.ts';
import { type Detached, startDetached } from './detachment.ts';
import type { Attention, Host } from './host.ts';
import { writeNameFiles } from './name-files.ts';
import { openSecrets } from './pod-secrets.ts';
import { claimPorts } from './port-claims.ts';
import { takeBack } from './registration.ts';
import { readyRoots } from './root-disks.ts';
import { becomeSupervisor, type Environment, type StartRequest } from './supervisor.ts';
import { readVolumes } from './volume-files.ts';
import { readyNamedVolumes } from './volumes.ts';

/** What an earlier attempt has left must not be taken for it. */
async function register(pod: Pod, { registers = false }: StartRequest): Promise<void> {
  await takeBack(pod);
  if (registers) await (await import('./metadata-registration.ts')).registerPod(pod);
}

/** Starts a pod that is ours and filled: by becoming its supervisor, or detached. */
export async function start(
  host: Host,
  pod: Pod,
  request: StartRequest,
  environment: Environment,
  { report, signal }: Pick<Attention, 'report' | 'signal'>,
): Promise<Detached> {
  await claimPorts(host, pod, request.net, signal);
  await readyRoots(host, pod, request, { report, ...(signal === undefined ? {} : { signal }) });
  writeNameFiles(pod, request.names, request.hostname);
  const plan = readVolumes(pod.path);
  await readyNamedVolumes(host, plan, signal);
  const { fd: secrets, environment: handedOn } = openSecrets(plan.volumes, environment);
  await register(pod, request);
  try {
    if (request.detach === true)
      return await startDetached(host, pod, request, { environment: handedOn, secrets }, signal);
    becomeSupervisor(host, pod, request, { environment: handedOn, secrets });
  } catch (error) {
    await takeBack(pod);
    throw error;
  }
}
