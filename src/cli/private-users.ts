import type { PodRecord } from '../stage0/list.ts';
import type { JsonValue } from './json.ts';

/** `{"first": 1879113728, "count": 65536}`, or `inherent` where the pod is a machine of its own. */
export function privateUsersJson({ privateUsers }: PodRecord): JsonValue | undefined {
  if (privateUsers === undefined || privateUsers === 'inherent') return privateUsers;
  return { first: privateUsers.first, count: privateUsers.count };
}
