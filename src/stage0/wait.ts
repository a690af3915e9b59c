import type { PodUUID } from '../appc/index.ts';
import { podsDirectory } from '../pod/directory.ts';
import { ExitCodeFile } from '../pod/exit-code.ts';
import { lookUpPod } from '../pod/listing.ts';
import { observe } from '../pod/observation.ts';
import { Stage0Error } from './errors.ts';
import type { Host } from './host.ts';
import { hasEnded, until } from './patience.ts';

export interface PodEnd {
  readonly uuid: PodUUID;
  /** Undefined for a pod that was killed with its supervisor, or went without having run. */
  readonly exitCode: number | undefined;
}

/**
 * Waits until a pod has ended, and tells with which exit code: also of one that is removed in the same moment. Throws PodError when
 * there is no such pod.
 */
export async function wait(host: Host, uuid: string): Promise<PodEnd> {
  const found = lookUpPod(podsDirectory(host.dataDirectory), uuid);
  using pod = observe(found);
  if (pod === undefined) throw new Stage0Error('no-pod', `pod ${JSON.stringify(found.uuid)} was removed`);
  using code = new ExitCodeFile();
  const isOver = () => {
    code.hold(pod);
    return hasEnded(found);
  };
  await until(found, { milliseconds: undefined }, isOver, 'exit');
  return { uuid: found.uuid, exitCode: code.read() };
}
