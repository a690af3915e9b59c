import { formatHealth, HEALTH_ANNOTATION } from '../abi/health.ts';
import { type Annotation, isDate } from '../appc/annotations.ts';
import { type App, blankApp } from '../appc/app.ts';
import { blankImageManifest, type ImageManifest } from '../appc/image-manifest.ts';
import type { Label } from '../appc/labels.ts';
import { parseACIdentifier, sanitizeACIdentifier } from '../appc/names.ts';
import { absolutePath } from '../appc/volume.ts';
import type { ImageConfig } from './config.ts';
import type { Digest } from './digest.ts';
import { environmentOf, mountPointsOf, portsOf, userOf } from './execution.ts';
import { appcPlatform } from './platform-names.ts';

/** Where an image was found. */
export interface ImageSource {
  /** What the image is called without its tag: `registry-1.docker.io/library/busybox`, or a layout's name. */
  readonly name: string;
  readonly tag?: string;
  /** What the user asked for. */
  readonly originalName: string;
  readonly registry?: string;
  readonly repository?: string;
  readonly configDigest: Digest;
  readonly manifestDigest: Digest;
}

/**
 * An OCI or Docker image in the words of appc, as docker2aci converted them for rkt. The layers stay apart:
 * there are no dependencies and no whitelist. Throws OciError, AppcError where appc has no word for something.
 */
export function toImageManifest(config: ImageConfig, source: ImageSource): ImageManifest {
  return {
    ...blankImageManifest(sanitizeACIdentifier(source.name)),
    labels: labelsOf(config, source),
    app: appOf(config),
    annotations: annotationsOf(config, source),
  };
}

function labelsOf({ platform }: ImageConfig, { tag }: ImageSource): readonly Label[] {
  const { os, arch } = appcPlatform(platform);
  return present([
    ['version', tag],
    ['os', os],
    ['arch', arch],
  ]);
}

function appOf({ execution }: ImageConfig): App {
  const app: App = {
    ...blankApp,
    ...userOf(execution.user),
    exec: [...execution.entrypoint, ...execution.cmd],
    environment: environmentOf(execution.env),
    mountPoints: mountPointsOf(execution.volumes),
    ports: portsOf(execution.exposedPorts),
    userLabels: execution.labels,
  };
  return execution.workingDir === '' ? app : { ...app, workingDirectory: absolutePath(execution.workingDir) };
}

function annotationsOf(config: ImageConfig, source: ImageSource): readonly Annotation[] {
  const { entrypoint, cmd, stopSignal, healthCheck } = config.execution;
  return present([
    ['author', config.author],
    ['created', config.created !== undefined && isDate(config.created) ? config.created : undefined],
    ['docker-comment', config.comment],
    ['appc.io/docker/originalname', source.originalName],
    ['appc.io/docker/registryurl', source.registry],
    ['appc.io/docker/repository', source.repository],
    ['appc.io/docker/tag', source.tag],
    ['appc.io/docker/imageid', source.configDigest],
    ['appc.io/docker/manifesthash', source.manifestDigest],
    ['appc.io/docker/entrypoint', entrypoint.length > 0 ? JSON.stringify(entrypoint) : undefined],
    ['appc.io/docker/cmd', cmd.length > 0 ? JSON.stringify(cmd) : undefined],
    // Not of docker2aci: appc has no stop signal, and apps that set one want it.
    ['org.opencontainers.image.stopsignal', stopSignal],
    [HEALTH_ANNOTATION, healthCheck && formatHealth(healthCheck)],
  ]);
}

function present(pairs: readonly (readonly [string, string | undefined])[]): readonly Label[] {
  return pairs.flatMap(([name, value]) => (value ? [{ name: parseACIdentifier(name), value }] : []));
}
