import {
  type App,
  blankApp,
  type EnvironmentVariable,
  type ImageManifest,
  mergeEnvironments,
} from '../appc/index.ts';
import { parseVariable } from './environment-file.ts';
import { Stage0Error } from './errors.ts';
import { type IsolatorRequest, isolated } from './isolator-request.ts';
import type { LifeRequest } from './life-request.ts';
import type { Marks } from './marks.ts';
import type { StreamRequest } from './stream-request.ts';
import type { MountRequest } from './volume-request.ts';

/** An app as the command line asks for it: what is absent is the image's to say. */
export interface AppRequest extends LifeRequest, IsolatorRequest {
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
  readonly umask?: number;
  readonly readOnlyRootfs: boolean;
  readonly mounts?: readonly MountRequest[];
  readonly marks?: Marks;
  readonly streams?: StreamRequest;
}

/** Environments for all apps of a pod, weakest first: the image's own lies between the first and the others. */
export interface PodEnvironment {
  readonly inherited: readonly EnvironmentVariable[];
  readonly file: readonly EnvironmentVariable[];
  readonly set: readonly EnvironmentVariable[];
}

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
    user: nonEmpty('--user', request.user) ?? app.user,
    group: nonEmpty('--group', request.group) ?? app.group,
    supplementaryGIDs:
      request.supplementaryGids === undefined ? app.supplementaryGIDs : parseGids(request.supplementaryGids),
    userAnnotations: { ...app.userAnnotations, ...request.marks?.userAnnotations },
    userLabels: { ...app.userLabels, ...request.marks?.userLabels },
    environment: mergeEnvironments(pod.inherited, app.environment, pod.file, pod.set, own),
    isolators: isolated(app.isolators, request),
    ...(workingDirectory === undefined ? {} : { workingDirectory: absolute(workingDirectory) }),
  };
}

function nonEmpty(flag: string, text: string | undefined): string | undefined {
  if (text === '') throw new Stage0Error('bad-request', `${flag}: must not be empty`);
  return text;
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
