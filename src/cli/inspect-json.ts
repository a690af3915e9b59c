import type { Document, InspectedApp, InspectedPod } from '../stage0/inspect.ts';
import { lifeJson } from './app-life.ts';
import type { JsonValue } from './json.ts';
import { networksJson } from './pod-networks.ts';
import { privateUsersJson } from './private-users.ts';

/** A pod as `rkt inspect` prints it (docs/commands/inspect.md); all times in nanoseconds since 1970. */
export function inspectJson(pod: InspectedPod): JsonValue {
  const { record, stage1 } = pod;
  return {
    uuid: record.uuid,
    pod_name: record.podName,
    state: record.state,
    paused: record.isPaused ? true : undefined,
    ready: record.isReady,
    mutable: record.isMutable ? true : undefined,
    created_at: record.created,
    started_at: record.started,
    pid: record.pid,
    exit_code: pod.exitCode,
    path: pod.path,
    stage1: {
      flavour: stage1.name?.split('/').at(-1),
      name: stage1.name,
      version: stage1.version,
      image_id: stage1.imageId,
    },
    machine: json(pod.machine),
    networks: networksJson(record),
    private_users: privateUsersJson(record),
    apps: pod.apps.map(appJson),
    user_annotations: record.userAnnotations,
    user_labels: record.userLabels,
    cgroups: pod.cgroups,
    warnings: pod.warnings,
    mounts: json(pod.mounts),
    volumes: json(pod.volumes),
    manifest: json(pod.manifest),
  };
}

function appJson({ record, root, logs, facts }: InspectedApp): JsonValue {
  return {
    name: record.name,
    state: record.state,
    image_id: record.imageId,
    image_name: record.imageName,
    created_at: record.created,
    started_at: record.started,
    finished_at: record.finished,
    exit_code: record.exitCode,
    pid: record.pid,
    ...lifeJson(record),
    root,
    logs,
    process: json(facts),
    user_annotations: record.userAnnotations,
    user_labels: record.userLabels,
  };
}

/** What was parsed from JSON is JSON. */
function json(document: Document): JsonValue | undefined {
  return document as JsonValue | undefined;
}
