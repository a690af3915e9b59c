import { type AppState, parseAppState } from '../abi/app-state.ts';
import type { HealthState } from '../abi/health.ts';
import { AbiError } from '../abi/json.ts';
import { appState } from '../abi/pod-directory.ts';
import { RESTART_ANNOTATION } from '../abi/restart.ts';
import { annotationValue } from '../appc/annotations.ts';
import { withoutUndefined } from '../appc/json-value.ts';
import type { RuntimeApp } from '../appc/pod-manifest.ts';
import type { Observation } from './observation.ts';

/** How an app does, as its supervisor has written. Times are nanoseconds since 1970. */
export interface AppLife {
  /** Its policy, as `--restart` takes it; absent where there is none. */
  readonly restart?: string;
  readonly restarts?: number;
  /** When it will be started again. */
  readonly nextRestart?: bigint;
  /** Of the last of its processes that has ended, also while the next one runs. */
  readonly lastExit?: number;
  /** In that life processes of it were killed because memory was wanting; absent if none were. */
  readonly oomKilled?: true;
  readonly health?: HealthState;
  /** When its process was started. */
  readonly started?: bigint;
  /** Of that process, inside the pod. */
  readonly pid?: number;
}

/** Of an app that does not run, what it did at the end of its life is no news. */
export function readLife(pod: Observation, app: RuntimeApp, runs: boolean): AppLife {
  const restart = annotationValue(app.annotations, RESTART_ANNOTATION);
  const state = stateOf(pod.text(appState(app.name)));
  const { nextRestart, lastExit, started, pid, health } = state ?? {};
  return withoutUndefined({
    restart,
    restarts: restart === undefined ? undefined : (state?.restarts ?? 0),
    nextRestart: nextRestart == null || !runs ? undefined : BigInt(nextRestart) * 1_000_000n,
    lastExit: lastExit ?? undefined,
    oomKilled: state?.outOfMemory ? (true as const) : undefined,
    health: runs ? (health ?? undefined) : undefined,
    started: started == null ? undefined : BigInt(started),
    pid: runs ? (pid ?? undefined) : undefined,
  });
}

/** A power cut can leave the file empty: it is not forced to the disk. */
function stateOf(text: string | undefined): AppState | undefined {
  try {
    return text === undefined ? undefined : parseAppState(JSON.parse(text));
  } catch (error) {
    if (error instanceof AbiError || error instanceof SyntaxError) return undefined;
    throw error;
  }
}
