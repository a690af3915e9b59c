import type { PodUUID } from '../appc/index.ts';
import { shared } from '../os/lock.ts';
import { ensurePodsDirectory } from '../pod/directory.ts';
import { createPod } from '../pod/pod.ts';
import { type Attention, type Host, preparationLock } from './host.ts';
import { fillNewPod } from './new-pod.ts';
import type { PrepareRequest } from './preparation.ts';
import { checkSources, requestedVolumes } from './volume-files.ts';

/** Makes a pod that waits for `runPrepared`, and returns its UUID. One that could not be made goes at once, unlike rkt's. */
export async function prepare(host: Host, request: PrepareRequest, attention: Attention): Promise<PodUUID> {
  checkSources(requestedVolumes(request.pod));
  const pods = ensurePodsDirectory(host.dataDirectory);
  using _ = await shared(preparationLock(host), attention.signal);
  using pod = createPod(pods);
  await fillNewPod(host, pod, request, attention, 'discard');
  pod.move('prepared');
  return pod.uuid;
}
