import type { VolumeSummary } from '../stage0/volumes.ts';
import type { JsonValue } from './json.ts';

/** A volume as `list` and `inspect` print it; the time in seconds, as that of a pod. */
export function volumeJson({ name, created, labels, path, users }: VolumeSummary): JsonValue {
  return {
    name,
    created_at: Math.floor(created / 1000),
    labels: Object.keys(labels).length === 0 ? undefined : labels,
    path,
    pods:
      users.length === 0
        ? undefined
        : users.map(({ uuid, podName, state }) => ({ name: uuid, pod_name: podName, state })),
  };
}
