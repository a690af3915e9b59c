import {
  type App,
  blankApp,
  type EnvironmentVariable,
  type ImageManifest,
  type Isolator,
  mergeEnvironments,
  parseQuantity,
  type Quantity,
  type ResourceName,
  wholeUnits,
} from '../appc/index.ts';
import { parseVariable } from './environment-file.ts';
import { Stage0Error } from './errors.ts';
import type { LifeRequest } from './life-request.ts';
import type { Marks } from './marks.ts';
import type { SeccompRequest } from './seccomp-request.ts';
import type { StreamRequest } from './stream-request.ts';

/** An app as the command line asks for it: what is absent is the image's to say. */
export interface AppRequest extends LifeRequest {
  /** The image string. */
  readonly image: string;
  /** Path of its detached signature, instead of the published one. */
  readonly signature?: string;
  readonly name?: string;
  /** Replaces the image's command; `args` follow it, or the image's command when this is absent. */
  readonly exec?: string;
  readonly args: readonly string[];
  /** `NAME=VALUE`. */
  readonly environment: readonly string[];
  readonly user?: string;
  readonly group?: string;
  /** `1,2,3`. */
  readonly supplementaryGids?: string;
  readonly workingDirectory?: string;
  readonly readOnlyRootfs: boolean;
  readonly memory?: string;
  readonly cpu?: string;
  readonly seccomp?: SeccompRequest;
  readonly marks?: Marks;
  readonly streams?: StreamRequest;
}

/** Environments for all apps of a pod, weakest first: the image's own lies between the first and the others. */
export interface PodEnvironment {
  readonly inherited: readonly EnvironmentVariable[];
  readonly file: readonly EnvironmentVariable[];
  readonly set: readonly EnvironmentVariable[];
}

/** rkt's guard against `--memory=128m`, which is an eighth of a byte. */
const MEMORY_MIN_BYTES = 4096;

/** The app that an image becomes by a request. Throws Stage0Error `bad-request`. */
export function requestedApp(image: ImageManifest, request: AppRequest, pod: PodEnvironment): App {
  const base = image.app;
  if (base === undefined && request.exec === undefined)
    throw new Stage0Error(
      'bad-request',
      `image ${image.name} has an empty app section and --exec argument is not provided`,
    );
  const app = base ?? blankApp;
  const own = request.environment.map((text) => parseVariable(text, '--environment'));
  const workingDirectory = request.workingDirectory ?? app.workingDirectory;
  return {
    ...app,
    exec: request.exec === undefined ? [...app.exec, ...request.args] : [request.exec, ...request.args],
    user: request.user ?? app.user,
    group: request.group ?? app.group,
    supplementaryGIDs:
      request.supplementaryGids === undefined ? app.supplementaryGIDs : parseGids(request.supplementaryGids),
    userAnnotations: { ...app.userAnnotations, ...request.marks?.userAnnotations },
    userLabels: { ...app.userLabels, ...request.marks?.userLabels },
    environment: mergeEnvironments(pod.inherited, app.environment, pod.file, pod.set, own),
    isolators: filtered(limited(app.isolators, request), request.seccomp),
    ...(workingDirectory === undefined ? {} : { workingDirectory: absolute(workingDirectory) }),
  };
}

/** Isolators with the limits that flags give. Throws Stage0Error `bad-request`. */
export function limited(
  isolators: readonly Isolator[],
  request: Pick<AppRequest, 'memory' | 'cpu'>,
): readonly Isolator[] {
  const inMemory = withLimit(isolators, 'resource/memory', memory(request));
  return withLimit(inMemory, 'resource/cpu', quantity('--cpu', request.cpu));
}

function memory(request: Pick<AppRequest, 'memory'>): Quantity | undefined {
  const amount = quantity('--memory', request.memory);
  if (amount !== undefined && wholeUnits(amount) < MEMORY_MIN_BYTES)
    throw new Stage0Error(
      'bad-request',
      `--memory: ${amount} is lower than 4 KiB: were milli-bytes meant, or mebibytes (Mi)?`,
    );
  return amount;
}

function quantity(flag: string, text: string | undefined): Quantity | undefined {
  if (text === undefined) return undefined;
  try {
    return parseQuantity(text);
  } catch (cause) {
    const problem = cause instanceof Error ? cause.message : text;
    throw new Stage0Error('bad-request', `${flag}: ${problem}`, { cause });
  }
}

function withLimit(isolators: readonly Isolator[], name: ResourceName, limit: Quantity | undefined) {
  if (limit === undefined) return isolators;
  const own: Isolator = { kind: 'resource', name, value: { default: false, request: limit, limit } };
  return [...isolators.filter((isolator) => isolator.name !== name), own];
}

/** A filter takes the place of the image's. */
function filtered(isolators: readonly Isolator[], own: SeccompRequest | undefined): readonly Isolator[] {
  if (own === undefined) return isolators;
  return [...isolators.filter(({ kind }) => kind !== 'seccomp' && kind !== 'seccomp-profile'), own];
}

function parseGids(text: string): number[] {
  return text.split(',').map((word) => {
    const gid = Number(word);
    if (/^\d+$/.test(word) && gid < 0xffff_ffff) return gid;
    throw new Stage0Error('bad-request', `--supplementary-gids: ${JSON.stringify(word)} is not a group id`);
  });
}

function absolute(path: string): string {
  if (path.startsWith('/')) return path;
  throw new Stage0Error('bad-request', `--working-dir: ${JSON.stringify(path)} is not an absolute path`);
}
