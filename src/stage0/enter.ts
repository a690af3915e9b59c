import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CALLER_ENV } from '../abi/caller.ts';
import { POD } from '../abi/pod-directory.ts';
import { formatEnterArguments } from '../abi/stage1.ts';
import { formatEnvironment, replaceProcess } from '../os/exec.ts';
import { podPath, podsDirectory } from '../pod/directory.ts';
import { lookUpPod } from '../pod/listing.ts';
import { type PodRecord, readPod } from '../pod/record.ts';
import { chooseApp } from './app-choice.ts';
import { findEntrypoint } from './entrypoint.ts';
import { Stage0Error } from './errors.ts';
import type { Host } from './host.ts';

export interface EnterRequest {
  /** What it was asked for with: messages name it. */
  readonly caller: 'enter' | 'app exec';
  /** A UUID or the beginning of one. */
  readonly uuid: string;
  /** Undefined: the pod has only one. */
  readonly app: string | undefined;
  /** The program first. */
  readonly command: readonly string[];
}

/**
 * Runs a program in a running app: this process becomes the stage1's `enter`, whose exit code is the program's. It returns only
 * by throwing PodError or Stage0Error `not-running`, `bad-request`, `bad-stage1`.
 */
export function enter(
  host: Host,
  request: EnterRequest,
  environment: Readonly<Record<string, string | undefined>>,
): never {
  const found = lookUpPod(podsDirectory(host.dataDirectory), request.uuid);
  const record = readPod(found);
  // Where running pods are: it may have been found a moment earlier.
  const path = podPath({ ...found, phase: 'run' });
  const pid = pidOfRunning(found.uuid, record, path);
  const app = chooseApp(request.caller, record?.apps.map(({ name }) => name) ?? [], request.app);
  const entrypoint = findEntrypoint(path, 'enter');
  if (entrypoint === undefined)
    throw new Stage0Error('bad-stage1', "the pod's stage1 has no enter entrypoint");
  process.chdir(path);
  replaceProcess({
    path: entrypoint,
    argv: [entrypoint, ...formatEnterArguments({ pid, app, command: request.command })],
    environment: formatEnvironment({ ...environment, [CALLER_ENV]: request.caller.replace(/^.* /, '') }),
    fds: [],
  });
}

/** An app that is yet to say that it is ready can be entered: whether it runs is for the supervisor to say, where one takes requests. */
function pidOfRunning(uuid: string, record: PodRecord | undefined, path: string): number {
  const pod = `pod ${JSON.stringify(uuid)}`;
  if (record?.state !== 'running') throw new Stage0Error('not-running', `${pod} isn't currently running`);
  if (record.pid === undefined || !(record.isReady || existsSync(join(path, POD.control))))
    throw new Stage0Error('not-running', `${pod} is still starting`);
  return record.pid;
}
