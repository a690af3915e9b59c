import type { ExitStatus, StartStep } from './guest.ts';

/** Exit codes of the `rkt` command and of what it records for an app (rkt 1.30; `docs/exit-codes.md`). */
export const EXIT = {
  ok: 0,
  /** No subcommand given. */
  missingCommand: 2,
  /** Every failure of rkt itself, and bad arguments. */
  failure: 254,
  /** Of `rkt-mount --export` alone: an overlay's upper layer means nothing without those below it. */
  redirected: 3,
} as const;

/** An app that could not be started records what systemd recorded for rkt's apps. */
const START_FAILURE: Readonly<Record<StartStep, number>> = {
  limits: 219,
  // That of systemd is the handler's own, which would pass for the app's.
  'pre-start': 250,
  root: 226,
  mount: 226,
  files: 226,
  streams: 209,
  rlimits: 205,
  groups: 216,
  user: 217,
  capabilities: 218,
  seccomp: 228,
  'working-directory': 200,
  exec: 203,
};

export function startFailureCode(step: StartStep): number {
  return START_FAILURE[step];
}

/** The code a shell would show: the app's own, or 128 + the signal that ended it. */
export function exitCodeOf(status: ExitStatus): number {
  switch (status.kind) {
    case 'exited':
      return status.code;
    case 'signaled':
      return 128 + status.signal;
    default:
      return status satisfies never;
  }
}
