import { type HealthPlan, healthOf } from '../abi/health.ts';
import { AbiError } from '../abi/json.ts';
import { annotationValue } from '../appc/annotations.ts';
import type { App } from '../appc/app.ts';
import type { ImageManifest } from '../appc/image-manifest.ts';
import { quote } from '../appc/json.ts';
import { withoutUndefined } from '../appc/json-value.ts';
import { labelValue } from '../appc/labels.ts';
import type { Digest } from './digest.ts';
import { refuse } from './errors.ts';
import { healthCheckJson } from './health-check.ts';
import { ociPlatform } from './platform-names.ts';

/**
 * The configuration (image-spec 1.1, config.md) of an appc image that is exported as an OCI image of these layers. What OCI has no
 * word for (isolators, event handlers, dependencies, which are in the layers by now) is left out. Throws OciError
 * `unsupported-platform`, and `invalid-value` for a user who is the owner of a file.
 */
export function toImageConfig(manifest: ImageManifest, diffIDs: readonly Digest[]): string {
  const { labels, annotations, app } = manifest;
  const { architecture, os, variant } = ociPlatform(labelValue(labels, 'os'), labelValue(labels, 'arch'));
  return JSON.stringify({
    ...withoutUndefined({
      created: annotationValue(annotations, 'created'),
      author: annotationValue(annotations, 'author') ?? annotationValue(annotations, 'authors'),
    }),
    architecture,
    os,
    ...(variant === undefined ? {} : { variant }),
    config: app === undefined ? {} : executionJson(app, healthOfImage(manifest)),
    rootfs: { type: 'layers', diff_ids: diffIDs },
  });
}

function executionJson(app: App, health: HealthPlan | undefined): object {
  const { exec, environment, workingDirectory, ports, mountPoints, userLabels } = app;
  const list = <T>(items: readonly T[]) => (items.length === 0 ? undefined : items);
  const set = (keys: readonly string[]) =>
    keys.length === 0 ? undefined : Object.fromEntries(keys.map((key) => [key, {}]));
  return withoutUndefined({
    User: `${identity('user', app.user)}:${identity('group', app.group)}`,
    ExposedPorts: set(ports.map(({ port, protocol }) => `${port}/${protocol}`)),
    Env: list(environment.map(({ name, value }) => `${name}=${value}`)),
    Entrypoint: list(exec),
    Volumes: set(mountPoints.map(({ path }) => path)),
    WorkingDir: workingDirectory,
    Healthcheck: health && healthCheckJson(health),
    Labels: Object.keys(userLabels).length === 0 ? undefined : userLabels,
  });
}

/** An ACI says what it likes in its annotations. */
function healthOfImage(manifest: ImageManifest): HealthPlan | undefined {
  try {
    return healthOf(manifest);
  } catch (cause) {
    if (!(cause instanceof AbiError)) throw cause;
    throw refuse('invalid-value', 'annotations', cause.message, cause);
  }
}

function identity(what: string, text: string): string {
  if (!text.startsWith('/')) return text;
  throw refuse(
    'invalid-value',
    `app.${what}`,
    `OCI has no word for the owner of the file ${quote(text)}: give a name or a number`,
  );
}
