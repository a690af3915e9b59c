import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatHostNamespaces, HOST_NAMESPACES_ENV, PLUGINS_ENV } from '../abi/host-namespaces.ts';
import { METADATA_ANNOTATION } from '../abi/metadata.ts';
import { POD } from '../abi/pod-directory.ts';
import { formatRemoval, REMOVAL_ANNOTATION, REMOVAL_ENV } from '../abi/removal.ts';
import type { MachineRoots } from '../abi/root-disks.ts';
import { SECRETS_ENV } from '../abi/secrets.ts';
import { SPARES_ENV } from '../abi/spares.ts';
import {
  DETACHED_ENV,
  entrypointAnnotation,
  formatRunArguments,
  type IpcMode,
  LOCK_FD_ENV,
  type RunArguments,
  VM_IDS_ENV,
} from '../abi/stage1.ts';
import { interfaceVersion, unknownRunArgument } from '../abi/stage1-versions.ts';
import { TEMPLATES_ENV } from '../abi/templates.ts';
import { annotationValue, type ImageManifest, readImageManifest } from '../appc/index.ts';
import type { Configuration } from '../config/index.ts';
import { formatEnvironment, type Program, replaceProcess } from '../os/exec.ts';
import { ownNamespaces } from '../os/namespaces.ts';
import { readName } from '../pod/name.ts';
import type { Pod } from '../pod/pod.ts';
import { Stage0Error } from './errors.ts';
import type { Host } from './host.ts';
import { pluginDirectories, rktMountPath } from './installation.ts';
import { modesOf, type NamesRequest } from './name-files.ts';
import { rangeOf } from './private-users.ts';
import { tokenOf } from './registration.ts';
import { sparesKept, templateDirectory } from './template-scope.ts';

/** How a pod that is filled is started. */
export interface StartRequest {
  /** As `--net` says; `none` is the only one. */
  readonly net: string;
  readonly interactive: boolean;
  readonly hostname: string | undefined;
  readonly ipc?: IpcMode;
  /** Of its apps' /etc/resolv.conf and /etc/hosts; absent: nothing was asked for. */
  readonly names?: NamesRequest;
  /** `--mds-register`: the metadata service is to know it. */
  readonly registers?: boolean;
  /** `--strict-isolators`: no pod rather than one whose isolators are not all enforced. */
  readonly strictIsolators?: boolean;
  /** Apps come and go while it runs. */
  readonly mutable?: boolean;
  /** Of a machine: how its apps' roots come to it, and the most that they may have written where those are disks. */
  readonly rootfs?: MachineRoots;
  readonly scratchBytes?: number;
  /** Start it on its own, wait until it is ready, and leave it. */
  readonly detach?: boolean;
  /** `--rm`: the command line of this very `rkt`, global flags and command excluded, that the supervisor calls in the end. */
  readonly remover?: readonly string[];
}

const NO_NETWORK = 'none';

const CNI_PATH = 'CNI_PATH';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What a supervisor gets beside its arguments. */
export interface Inheritance {
  readonly environment: Environment;
  /** An open file with the pod's secrets (`secrets.ts`). */
  readonly secrets: number | undefined;
}

/**
 * Becomes the supervisor of a pod that is ours and filled: moves it to `run`, and the process is replaced, by way of rkt-mount,
 * with the stage1's `run`. It returns only by throwing; what is wrong with the stage1 is found before the pod moves.
 */
export function becomeSupervisor(
  host: Host,
  pod: Pod,
  request: StartRequest,
  { environment, secrets }: Inheritance,
): never {
  const fds = [pod.lock.fd, ...ownNamespaces(), ...(secrets === undefined ? [] : [secrets])];
  const program = supervisorProgram(host, pod, request, environment, { from: fds, to: fds });
  pod.move('run');
  process.chdir(pod.path);
  replaceProcess(program);
}

/** The fds that a supervisor gets, and what they are called there: the pod's lock, the host's namespaces of mounts and of the network, and secrets if there are any. */
interface SupervisorFds {
  readonly from: readonly number[];
  readonly to: readonly number[];
}

/** Throws Stage0Error `bad-stage1`, `unsupported`. */
export function supervisorProgram(
  host: Host,
  pod: Pod,
  request: StartRequest,
  environment: Environment,
  fds: SupervisorFds,
): Program {
  const [lock, ...namespaces] = fds.to;
  const secrets = namespaces[2];
  const stage1 = readImageManifest(readFileSync(join(pod.path, POD.stage1Manifest), 'utf8'));
  const entrypoint = annotationValue(stage1.annotations, entrypointAnnotation('run'));
  if (entrypoint === undefined) throw new Stage0Error('bad-stage1', `${stage1.name} has no run entrypoint`);
  const path = join(POD.stage1Rootfs, entrypoint);
  const removing = removal(host, pod, request, stage1, namespaces);
  return {
    path: rktMountPath(),
    argv: ['rkt-mount', path, ...runWords(host, pod, request, stage1)],
    environment: formatEnvironment({
      ...environment,
      [VM_IDS_ENV]: vmIds(host.configuration),
      [TEMPLATES_ENV]: templateDirectory(host),
      [SPARES_ENV]: sparesKept(host),
      [LOCK_FD_ENV]: String(lock),
      [DETACHED_ENV]: request.detach === true ? 'true' : undefined,
      [REMOVAL_ENV]: removing,
      [SECRETS_ENV]: secrets?.toString(),
      ...networking(host, request, environment, namespaces),
    }),
    fds: fds.from,
  };
}

function networking(
  { localConfig }: Host,
  { net }: StartRequest,
  environment: Environment,
  [mountNamespace = 0, networkNamespace = 0]: readonly number[],
): Environment {
  const directories = net === NO_NETWORK ? undefined : pluginDirectories(localConfig, environment[CNI_PATH]);
  return {
    [HOST_NAMESPACES_ENV]: formatHostNamespaces({ mountNamespace, networkNamespace }),
    [PLUGINS_ENV]: directories?.join(':'),
  };
}

/** Undefined where the pod is to stay. */
function removal(
  host: Host,
  pod: Pod,
  { remover }: StartRequest,
  stage1: ImageManifest,
  [mountNamespace = 0, networkNamespace = 0]: readonly number[],
): string | undefined {
  if (remover === undefined) return undefined;
  if (annotationValue(stage1.annotations, REMOVAL_ANNOTATION) !== 'true')
    throw new Stage0Error(
      'unsupported',
      `--rm: ${stage1.name} does not remove pods (its manifest has no ${REMOVAL_ANNOTATION})`,
    );
  const { dataDirectory, systemConfig, localConfig } = host;
  const flags = [
    `--dir=${dataDirectory}`,
    `--system-config=${systemConfig}`,
    `--local-config=${localConfig}`,
  ];
  const command = [...remover, ...flags, '__remove', pod.uuid];
  return formatRemoval({ mountNamespace, networkNamespace, command });
}

/** Throws Stage0Error `unsupported` where something is asked for that an older stage1 cannot be told. */
function runWords(host: Host, pod: Pod, request: StartRequest, stage1: ImageManifest): string[] {
  const words = formatRunArguments(runArguments(host, pod, request, stage1));
  const version = interfaceVersion(stage1.annotations);
  const unknown = version === undefined ? undefined : unknownRunArgument(words, version);
  if (unknown === undefined) return words;
  throw new Stage0Error(
    'unsupported',
    `${stage1.name} is of stage1 interface version ${version}, which has no ${unknown}`,
  );
}

function runArguments(host: Host, pod: Pod, request: StartRequest, stage1: ImageManifest): RunArguments {
  return {
    uuid: pod.uuid,
    debug: host.debug,
    net: request.net,
    mdsToken: givenToken(pod, stage1),
    interactive: request.interactive,
    localConfig: host.localConfig,
    mutable: request.mutable ?? false,
    hostname: request.hostname ?? readName(pod) ?? null,
    privateUsers: rangeOf(pod) ?? null,
    names: modesOf(request.names),
    ipc: request.ipc ?? 'auto',
    disableCapabilitiesRestriction: host.insecure.has('capabilities'),
    disablePaths: host.insecure.has('paths'),
    disableSeccomp: host.insecure.has('seccomp'),
    strictIsolators: request.strictIsolators ?? false,
  };
}

/** An argument can be read by every user of the host: a stage1 that finds the token itself is not given it. */
function givenToken(pod: Pod, { annotations }: ImageManifest): string | null {
  return annotationValue(annotations, METADATA_ANNOTATION) === 'true' ? null : (tokenOf(pod) ?? null);
}

/** The configuration's word alone: ids from the caller's environment could be those of somebody who has processes and files. */
export function vmIds({ vmIds }: Configuration): string | undefined {
  return vmIds === undefined ? undefined : `${vmIds.first}:${vmIds.count}`;
}
