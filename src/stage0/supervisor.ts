import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { POD } from '../abi/pod-directory.ts';
import {
  entrypointAnnotation,
  formatRunArguments,
  LOCK_FD_ENV,
  type RunArguments,
  VM_IDS_ENV,
} from '../abi/stage1.ts';
import { annotationValue, readImageManifest } from '../appc/index.ts';
import type { Configuration } from '../config/index.ts';
import { formatEnvironment, type Program, replaceProcess } from '../os/exec.ts';
import { readName } from '../pod/name.ts';
import type { Pod } from '../pod/pod.ts';
import { Stage0Error } from './errors.ts';
import type { Host } from './host.ts';
import { rktMountPath } from './installation.ts';

/** How a pod that is filled is started. */
export interface StartRequest {
  /** As `--net` says; `none` is the only one. */
  readonly net: string;
  readonly interactive: boolean;
  readonly hostname: string | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Becomes the supervisor of a pod that is ours and filled: moves it to `run`, and the process is replaced, by way of rkt-mount,
 * with the stage1's `run`. It returns only by throwing; what is wrong with the stage1 is found before the pod moves.
 */
export function becomeSupervisor(
  host: Host,
  pod: Pod,
  request: StartRequest,
  environment: Environment,
): never {
  const program = supervisor(host, pod, request, environment);
  pod.move('run');
  process.chdir(pod.path);
  replaceProcess(program);
}

function supervisor(host: Host, pod: Pod, request: StartRequest, environment: Environment): Program {
  const stage1 = readImageManifest(readFileSync(join(pod.path, POD.stage1Manifest), 'utf8'));
  const entrypoint = annotationValue(stage1.annotations, entrypointAnnotation('run'));
  if (entrypoint === undefined) throw new Stage0Error('bad-stage1', `${stage1.name} has no run entrypoint`);
  const path = join(POD.stage1Rootfs, entrypoint);
  return {
    path: rktMountPath(),
    argv: ['rkt-mount', path, ...formatRunArguments(runArguments(host, pod, request))],
    environment: formatEnvironment({
      ...environment,
      ...vmIds(host.configuration),
      [LOCK_FD_ENV]: String(pod.lock.fd),
    }),
    fds: [pod.lock.fd],
  };
}

function runArguments(host: Host, pod: Pod, request: StartRequest): RunArguments {
  return {
    uuid: pod.uuid,
    debug: host.debug,
    net: request.net,
    interactive: request.interactive,
    localConfig: host.localConfig,
    mutable: false,
    hostname: request.hostname ?? readName(pod) ?? null,
    disableCapabilitiesRestriction: host.insecure.has('capabilities'),
    disablePaths: host.insecure.has('paths'),
    disableSeccomp: host.insecure.has('seccomp'),
  };
}

function vmIds({ vmIds }: Configuration): Record<string, string> {
  return vmIds === undefined ? {} : { [VM_IDS_ENV]: `${vmIds.first}:${vmIds.count}` };
}
