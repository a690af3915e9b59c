import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextCycle } from 'node:timers/promises';
import { POD } from '../abi/pod-directory.ts';
import {
  entrypointAnnotation,
  formatRunArguments,
  LOCK_FD_ENV,
  type RunArguments,
  VM_IDS_ENV,
} from '../abi/stage1.ts';
import { annotationValue } from '../appc/index.ts';
import type { Configuration } from '../config/index.ts';
import { type Program, replaceProcess } from '../os/exec.ts';
import { shared } from '../os/lock.ts';
import { ensurePodsDirectory } from '../pod/directory.ts';
import { createPod, type Pod } from '../pod/pod.ts';
import { removePod } from '../pod/removal.ts';
import { Stage0Error } from './errors.ts';
import { type Attention, type Host, preparationLock } from './host.ts';
import { rktMountPath } from './installation.ts';
import { type Prepared, type PrepareRequest, prepare } from './prepare.ts';

export interface RunRequest extends PrepareRequest {
  /** As `--net` says; `none` is the only one. */
  readonly net: string;
  readonly interactive: boolean;
  readonly hostname: string | undefined;
  /** Gets the pod's UUID before anything can fail, so that a unit's ExecStopPost finds the pod. */
  readonly uuidFile: string | undefined;
}

/**
 * Makes a pod and becomes its supervisor: the process is replaced, by way of rkt-mount, with the stage1's `run`. It
 * returns only by throwing. A pod that could not be prepared goes at once, unlike rkt's; one with a UUID file stays behind
 * as `aborted prepare`, for whoever reads that file to remove it.
 */
export async function run(
  host: Host,
  request: RunRequest,
  environment: Readonly<Record<string, string | undefined>>,
  attention: Attention,
): Promise<never> {
  const rktMount = rktMountPath();
  const pods = ensurePodsDirectory(host.dataDirectory);
  using _ = await shared(preparationLock(host), attention.signal);
  using pod = createPod(pods);
  if (request.uuidFile !== undefined) saveUuid(pod, request.uuidFile);
  const prepared = await prepareOrDiscard(host, pod, request, attention);
  pod.move('run');
  process.chdir(pod.path);
  replaceProcess(supervisor(rktMount, host, pod, prepared, request, environment));
}

async function prepareOrDiscard(
  host: Host,
  pod: Pod,
  request: RunRequest,
  attention: Attention,
): Promise<Prepared> {
  try {
    const prepared = await prepare(host, pod, request, attention);
    // A signal that came while nobody waited is heard in the next cycle; once this process is the supervisor nobody would.
    await nextCycle();
    attention.signal?.throwIfAborted();
    return prepared;
  } catch (error) {
    if (request.uuidFile === undefined) discard(pod);
    throw error;
  }
}

/** Throws Stage0Error `bad-request`; the pod, which nobody would know of, goes with it. */
function saveUuid(pod: Pod, file: string): void {
  try {
    writeFileSync(file, pod.uuid);
  } catch (cause) {
    discard(pod);
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Stage0Error('bad-request', `--uuid-file-save=${file}: ${reason}`, {
      cause,
    });
  }
}

/** A pod that no stage1 has seen. What cannot be removed is left to `gc`: the reason to discard it is the news. */
function discard(pod: Pod): void {
  try {
    pod.move('garbage');
    removePod(pod);
  } catch {}
}

function supervisor(
  rktMount: string,
  host: Host,
  pod: Pod,
  { stage1 }: Prepared,
  request: RunRequest,
  environment: Readonly<Record<string, string | undefined>>,
): Program {
  const entrypoint = annotationValue(stage1.manifest.annotations, entrypointAnnotation('run'));
  if (entrypoint === undefined)
    throw new Stage0Error('bad-stage1', `${stage1.manifest.name} has no run entrypoint`);
  const path = join(POD.stage1Rootfs, entrypoint);
  return {
    path: rktMount,
    argv: ['rkt-mount', path, ...formatRunArguments(runArguments(host, pod, request))],
    environment: formatEnvironment({
      ...environment,
      ...vmIds(host.configuration),
      [LOCK_FD_ENV]: String(pod.lock.fd),
    }),
    fds: [pod.lock.fd],
  };
}

function runArguments(host: Host, pod: Pod, request: RunRequest): RunArguments {
  return {
    uuid: pod.uuid,
    debug: host.debug,
    net: request.net,
    interactive: request.interactive,
    localConfig: host.localConfig,
    mutable: false,
    hostname: request.hostname ?? null,
    disableCapabilitiesRestriction: host.insecure.has('capabilities'),
    disablePaths: host.insecure.has('paths'),
    disableSeccomp: host.insecure.has('seccomp'),
  };
}

function vmIds({ vmIds }: Configuration): Record<string, string> {
  return vmIds === undefined ? {} : { [VM_IDS_ENV]: `${vmIds.first}:${vmIds.count}` };
}

function formatEnvironment(environment: Readonly<Record<string, string | undefined>>): string[] {
  return Object.entries(environment).flatMap(([name, value]) =>
    value === undefined ? [] : [`${name}=${value}`],
  );
}
