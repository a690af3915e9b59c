/** What `status` says of an app's restarts and its health. */
import type { AppRecord } from '../stage0/list.ts';
import type { JsonValue } from './json.ts';
import { absoluteTime } from './time.ts';

const NANOSECONDS_OF_MILLISECOND = 1_000_000n;

export function lifeLines({ name, restarts, nextRestart, oomKilled, health }: AppRecord): string[] {
  const line = (key: string, value: string | number | boolean | undefined) =>
    value === undefined ? [] : [`app-${name}-${key}=${value}`];
  return [
    ...line('restarts', restarts),
    ...line('next-restart', nextRestart === undefined ? undefined : absoluteTime(nextRestart)),
    ...line('oom-killed', oomKilled),
    ...line('health', health?.status),
  ];
}

/** Fields behind rkt's own; times in ns. */
export function lifeJson({ restart, restarts, nextRestart, lastExit, oomKilled, health }: AppRecord): {
  readonly [key: string]: JsonValue | undefined;
} {
  return {
    restart,
    restarts,
    next_restart_at: nextRestart,
    last_exit_code: lastExit,
    oom_killed: oomKilled,
    health:
      health === undefined
        ? undefined
        : {
            status: health.status,
            failures: health.failures,
            checked_at:
              health.checked === null ? undefined : BigInt(health.checked) * NANOSECONDS_OF_MILLISECOND,
            exit_code: health.exitCode ?? undefined,
            output: health.output === '' ? undefined : health.output,
          },
  };
}
