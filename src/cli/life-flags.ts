import { HEALTH_LIMITS } from '../abi/health.ts';
import { parseRestart } from '../abi/restart.ts';
import type { HealthRequest, LifeRequest } from '../stage0/life-request.ts';
import type { FlagValues } from './app-arguments.ts';
import { formatDuration, parseDuration } from './duration.ts';
import { CliError } from './error.ts';
import { choice, Flag, value } from './flag.ts';
import { last } from './flag-values.ts';

/** Flags of an app's life. */
export const LIFE_FLAGS: readonly Flag[] = [
  new Flag(
    'restart',
    choice('POLICY', ['no', 'on-failure', 'always']),
    'when the app has ended: no, on-failure[:N] or always start it again (default: no)',
  ),
  new Flag('health-cmd', value('COMMAND'), "check the app's health by this, run by /bin/sh in the app"),
  new Flag('health-interval', value('DURATION'), 'between two checks (default: 30s)'),
  new Flag('health-timeout', value('DURATION'), 'a check that takes longer has failed (default: 10s)'),
  new Flag('health-retries', value('N'), 'failures in a row that make an app unhealthy (default: 3)'),
  new Flag('health-start-period', value('DURATION'), 'at first, failures are not counted (default: 0s)'),
];

/** What the flags of an app say of its life. Throws CliError `usage`. */
export function lifeRequest(flags: FlagValues): LifeRequest {
  return {
    ...parsed(flags, 'restart', 'restart', parseRestart),
    ...(LIFE_FLAGS.some((flag) => flag.name() !== 'restart' && flags.has(flag.name()))
      ? { health: healthRequest(flags) }
      : {}),
  };
}

function healthRequest(flags: FlagValues): HealthRequest {
  const { interval, timeout, startPeriod } = HEALTH_LIMITS;
  return {
    ...parsed(flags, 'health-cmd', 'line', (text) => text),
    ...parsed(flags, 'health-interval', 'interval', durationWithin(interval)),
    ...parsed(flags, 'health-timeout', 'timeout', durationWithin(timeout)),
    ...parsed(flags, 'health-retries', 'retries', parseRetries),
    ...parsed(flags, 'health-start-period', 'startPeriod', durationWithin(startPeriod)),
  };
}

/** `{ key: parsed value }`, or nothing where the flag is not given. */
function parsed<K extends string, T>(
  flags: FlagValues,
  name: string,
  key: K,
  parse: (text: string) => T,
): { readonly [P in K]?: T } {
  const text = last(flags, name);
  const found: { [P in K]?: T } = {};
  try {
    if (text !== undefined) found[key] = parse(text);
  } catch (cause) {
    throw new CliError('usage', `--${name}`, { cause });
  }
  return found;
}

function durationWithin({ least, most }: { readonly least: number; readonly most: number }) {
  return (text: string): number => {
    const milliseconds = Math.round(parseDuration(text));
    if (milliseconds >= least && milliseconds <= most) return milliseconds;
    throw new CliError('usage', `${text} is not from ${formatDuration(least)} to ${formatDuration(most)}`);
  };
}

function parseRetries(text: string): number {
  const { least, most } = HEALTH_LIMITS.retries;
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  throw new CliError('usage', `${JSON.stringify(text)} is not a number from ${least} to ${most}`);
}
