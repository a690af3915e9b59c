import type { AppRequest } from '../stage0/app-request.ts';
import { requestedLogSize } from '../stage0/log-size.ts';
import { type Marks, parseMarks } from '../stage0/marks.ts';
import { requestedPodName } from '../stage0/pod-name.ts';
import { type PodRequest, parsePodRequest, podEnvironment } from '../stage0/pod-request.ts';
import type { PrepareRequest } from '../stage0/preparation.ts';
import type { Stage1Choice } from '../stage0/stage1-image.ts';
import { parseUmaskFlag } from '../stage0/umask-request.ts';
import type { FlagValues, ImageArguments, PodArguments } from './app-arguments.ts';
import { CliError } from './error.ts';
import { all, isSet, last, maybe } from './flag-values.ts';
import { readGiven } from './given-file.ts';
import { isolatorRequest, podIsolatorRequest } from './isolator-flags.ts';
import { lifeRequest } from './life-flags.ts';
import { portRequest } from './port-flags.ts';
import { pullOptions, signature } from './pull-flags.ts';
import { EXCLUDED_BY_MANIFEST, MARK_FLAGS, PULL_POLICY } from './run-flags.ts';
import { streamRequest } from './stream-flags.ts';
import { mountsRequest, volumesRequest, withoutSecrets } from './volume-flags.ts';

/** What a command line says of a pod's content. Throws CliError `usage`, and what reading the named files throws. */
export function prepareRequest({ flags, images }: PodArguments): PrepareRequest {
  return {
    pod: podRequest(flags, images),
    stage1: stage1Choice(flags),
    roots: isSet(flags, 'no-overlay') ? 'copy' : 'overlay',
    ...(isSet(flags, 'private-users') ? { privateUsers: true } : {}),
    ...pullOptions(flags, PULL_POLICY),
    ...podName(flags),
    ...logSize(flags),
  };
}

export function podName(flags: FlagValues): Pick<PrepareRequest, 'name'> {
  const text = last(flags, 'pod-name');
  return text === undefined ? {} : { name: requestedPodName(text) };
}

export function logSize(flags: FlagValues): Pick<PrepareRequest, 'logSize'> {
  const text = last(flags, 'log-size');
  return text === undefined ? {} : { logSize: requestedLogSize(text) };
}

function podRequest(flags: FlagValues, images: readonly ImageArguments[]): PodRequest {
  const manifest = last(flags, 'pod-manifest');
  if (manifest !== undefined) {
    if (images.length > 0 || EXCLUDED_BY_MANIFEST.some((name) => flags.has(name)))
      throw new CliError('usage', 'conflicting flags set with --pod-manifest (see --help)');
    return podOfFile(manifest);
  }
  if (images.length === 0)
    throw new CliError('usage', 'must provide at least one image or specify the pod manifest');
  const volumes = volumesRequest(flags);
  const environment = podEnvironment({
    inherit: isSet(flags, 'inherit-env') ? withoutSecrets(process.env, volumes) : undefined,
    files: all(flags, 'set-env-file').map((path) => ({ path, text: readGiven('environment', path) })),
    set: all(flags, 'set-env'),
  });
  return {
    kind: 'apps',
    apps: images.map(appRequest),
    environment,
    ...marks(flags),
    ...portRequest(flags, 'images'),
    ...volumes,
    ...mountsRequest(flags),
    ...podIsolatorRequest(flags),
  };
}

function podOfFile(path: string): PodRequest {
  const text = readGiven('podManifest', path);
  try {
    return parsePodRequest(text);
  } catch (cause) {
    throw new CliError('usage', `--pod-manifest=${path}`, { cause });
  }
}

export function appRequest({ image, flags, args }: ImageArguments): AppRequest {
  return {
    image,
    args,
    environment: all(flags, 'environment'),
    readOnlyRootfs: isSet(flags, 'readonly-rootfs'),
    ...maybe('signature', signature(flags)),
    ...maybe('name', last(flags, 'name')),
    ...maybe('exec', last(flags, 'exec')),
    ...maybe('user', last(flags, 'user')),
    ...maybe('group', last(flags, 'group')),
    ...maybe('supplementaryGids', last(flags, 'supplementary-gids')),
    ...maybe('workingDirectory', last(flags, 'working-dir')),
    ...umask(flags),
    ...isolatorRequest(flags, (path) => readGiven('seccompProfile', path)),
    ...lifeRequest(flags),
    ...streamRequest(flags),
    ...mountsRequest(flags),
    ...marks(flags),
  };
}

function umask(flags: FlagValues): Pick<AppRequest, 'umask'> {
  const text = last(flags, 'umask');
  return text === undefined ? {} : { umask: parseUmaskFlag(text) };
}

export function marks(flags: FlagValues): { readonly marks?: Marks } {
  if (!MARK_FLAGS.some((flag) => flags.has(flag.name()))) return {};
  return {
    marks: parseMarks({
      annotations: all(flags, 'annotation'),
      userAnnotations: all(flags, 'user-annotation'),
      userLabels: all(flags, 'user-label'),
    }),
  };
}

const STAGE1_FLAGS: Readonly<Record<string, (text: string) => Stage1Choice>> = {
  'stage1-path': (path) => ({ kind: 'path', path }),
  'stage1-url': (url) => ({ kind: 'url', url }),
  'stage1-name': (name) => ({ kind: 'name', name }),
  'stage1-hash': (hash) => ({ kind: 'hash', hash }),
  'stage1-from-dir': (file) => ({ kind: 'from-dir', file }),
};

/** At most one of them, once. */
export function stage1Choice(flags: FlagValues): Stage1Choice {
  const given = Object.entries(STAGE1_FLAGS).flatMap(([name, choose]) =>
    all(flags, name).map((text) => ({ name, choice: choose(text) })),
  );
  const [first, second] = given;
  if (first === undefined) return { kind: 'default' };
  if (second === undefined) return first.choice;
  throw new CliError(
    'usage',
    first.name === second.name
      ? `--${first.name} already used`
      : `flags --${first.name} and --${second.name} are mutually exclusive`,
  );
}
