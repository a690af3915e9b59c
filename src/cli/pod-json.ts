import type { AppRecord, PodRecord } from '../stage0/list.ts';
import { lifeJson } from './app-life.ts';
import type { JsonValue } from './json.ts';
import { networksJson } from './pod-networks.ts';
import { portJson } from './pod-ports.ts';
import { privateUsersJson } from './private-users.ts';

const NANOSECONDS = 1_000_000_000n;

/** A pod as `list` and `status` print it in JSON: rkt's fields in rkt's order; times of apps in ns, of the pod in s. */
export function podJson(pod: PodRecord): Readonly<Record<string, JsonValue | undefined>> {
  return {
    name: pod.uuid,
    state: pod.state,
    networks: networksJson(pod),
    app_names: pod.apps.length === 0 ? undefined : pod.apps.map((app) => app.name),
    apps: pod.apps.length === 0 ? undefined : pod.apps.map(appJson),
    created_at: pod.created === undefined ? undefined : pod.created / NANOSECONDS,
    started_at: pod.started === undefined ? undefined : pod.started / NANOSECONDS,
    user_annotations: pod.userAnnotations,
    user_labels: pod.userLabels,
    pod_name: pod.podName,
    ports: pod.ports?.map(portJson),
    private_users: privateUsersJson(pod),
    paused: pod.isPaused ? true : undefined,
  };
}

/** An app alone, as `app status` prints it. */
export function appJson(app: AppRecord): JsonValue {
  return {
    name: app.name,
    state: app.state,
    created_at: app.created,
    started_at: app.started,
    finished_at: app.finished,
    exit_code: app.exitCode,
    image_id: app.imageId,
    mounts: app.mounts?.map(({ volume, target, source, readOnly }) => ({
      name: volume,
      container_path: target,
      host_path: source,
      read_only: readOnly,
    })),
    ...lifeJson(app),
    user_annotations: app.userAnnotations,
    user_labels: app.userLabels,
  };
}
