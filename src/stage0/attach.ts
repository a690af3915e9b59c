import { type AttachAction, formatAttachArguments } from '../abi/attach.ts';
import { formatEnvironment, replaceProcess } from '../os/exec.ts';
import { podPath, podsDirectory } from '../pod/directory.ts';
import { lookUpPod } from '../pod/listing.ts';
import { readPod } from '../pod/record.ts';
import { chooseApp } from './app-choice.ts';
import { findEntrypoint } from './entrypoint.ts';
import { Stage0Error } from './errors.ts';
import type { Host } from './host.ts';

export interface AttachRequest {
  /** A UUID or the beginning of one, or a name. */
  readonly uuid: string;
  /** Undefined: the pod has only one. */
  readonly app: string | undefined;
  readonly action: AttachAction;
  readonly detachKeys: string;
}

/**
 * Attaches to the streams of a running app: this process becomes the stage1's `attach`. It returns only by throwing PodError or
 * Stage0Error `not-running`, `bad-request`, `bad-stage1`.
 */
export function attach(
  host: Host,
  request: AttachRequest,
  environment: Readonly<Record<string, string | undefined>>,
): never {
  const found = lookUpPod(podsDirectory(host.dataDirectory), request.uuid);
  const record = readPod(found);
  if (record?.state !== 'running')
    throw new Stage0Error('not-running', `pod ${JSON.stringify(found.uuid)} isn't currently running`);
  const names = record.apps.map(({ name }) => name);
  const app = chooseApp('attach', names, request.app);
  // Where running pods are: it may have been found a moment earlier.
  const path = podPath({ ...found, phase: 'run' });
  const entrypoint = findEntrypoint(path, 'attach');
  if (entrypoint === undefined)
    throw new Stage0Error('bad-stage1', "the pod's stage1 has no attach entrypoint");
  process.chdir(path);
  const { action, detachKeys } = request;
  replaceProcess({
    path: entrypoint,
    argv: [entrypoint, ...formatAttachArguments({ app, debug: host.debug, action, detachKeys })],
    environment: formatEnvironment(environment),
    fds: [],
  });
}
