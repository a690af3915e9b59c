import { closeSync, readFileSync } from 'node:fs';
import { POD } from '../abi/pod-directory.ts';
import type { PodUUID } from '../appc/index.ts';
import { podsDirectory } from '../pod/directory.ts';
import { lookUpPod } from '../pod/listing.ts';
import { type Observation, observe } from '../pod/observation.ts';
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
  using code = new ExitCode(pod);
  const isOver = () => {
    code.hold();
    return hasEnded(found);
  };
  await until(found, { milliseconds: undefined }, isOver, 'exit');
  return { uuid: found.uuid, exitCode: code.read() };
}

/** A pod's exit code, which its supervisor writes into a file that is there before. */
class ExitCode implements Disposable {
  readonly #pod: Observation;
  #fd: number | undefined;

  constructor(pod: Observation) {
    this.#pod = pod;
  }

  /** What is open is read even when the pod is gone. */
  hold(): void {
    this.#fd ??= this.#pod.open(POD.exitCode);
  }

  read(): number | undefined {
    const text = this.#fd === undefined ? '' : readFileSync(this.#fd, 'utf8');
    return /^\d{1,3}\n$/.test(text) ? Number(text) : undefined;
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
  }
}
