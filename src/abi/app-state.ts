/** What a supervisor writes of each app into the pod's directory (`app-state/APP.json`), for `status` and its like. */
import { type HealthState, parseHealthState } from './health.ts';
import { AbiError, FieldReader } from './json.ts';

export interface AppState {
  /** How often it has been started again. */
  readonly restarts: number;
  /** When it will be, in milliseconds since 1970; null while it runs, and when it is over. */
  readonly nextRestart: number | null;
  /** Of the last process of it that has ended, as a shell would see it. */
  readonly lastExit: number | null;
  /** Processes of that life were killed because memory was wanting. */
  readonly outOfMemory: boolean;
  /** When its process was started, in nanoseconds since 1970: digits, since JSON has no integer of that size. */
  readonly started: string | null;
  /** Of its process, as the pod's processes see it; null while it does not run. */
  readonly pid: number | null;
  readonly health: HealthState | null;
}

export const BLANK_APP_STATE: AppState = {
  restarts: 0,
  nextRestart: null,
  lastExit: null,
  outOfMemory: false,
  started: null,
  pid: null,
  health: null,
};

const COUNT_MAX = Number.MAX_SAFE_INTEGER;

/** @throws AbiError `bad-message` */
export function parseAppState(value: unknown): AppState {
  const state = new FieldReader(value, 'app state');
  const integer = (key: string, most: number) => (state.has(key) ? state.integer(key, 0, most) : null);
  return {
    restarts: state.integer('restarts', 0, COUNT_MAX),
    nextRestart: integer('nextRestart', COUNT_MAX),
    lastExit: integer('lastExit', 255),
    outOfMemory: state.has('outOfMemory') && state.boolean('outOfMemory'),
    started: state.has('started') ? digits(state.string('started', 20)) : null,
    pid: integer('pid', 1 << 30),
    health: state.has('health') ? parseHealthState(state.object('health')) : null,
  };
}

function digits(text: string): string {
  if (/^\d+$/.test(text)) return text;
  throw new AbiError('bad-message', `app state.started: ${JSON.stringify(text)} is not a number`);
}
