/**
 * `Healthcheck` of an image's configuration, Docker's extension of the image-spec: what is run, and times in nanoseconds, where 0 means the
 * default. Docker's `StartInterval` has no equal here.
 */
import { HEALTH_DEFAULTS, HEALTH_LIMITS, type HealthPlan, shellCommand } from '../abi/health.ts';
import { type Cursor, fields, integer, kernelString } from '../appc/json.ts';

const NANOSECONDS = 1_000_000;

type Times = Omit<HealthPlan, 'command'>;

/** Undefined where there is no check, and where it says `NONE`. Throws OciError. */
export function readHealthCheck(at: Cursor): HealthPlan | undefined {
  const check = fields(at);
  const command = commandOf(check.list('Test', kernelString));
  const number = (key: string) => check.optional(key, integer(0, Number.MAX_SAFE_INTEGER)) ?? 0;
  const time = (key: string, of: 'interval' | 'timeout' | 'startPeriod') =>
    within(of, Math.round(number(key) / NANOSECONDS));
  const times: Times = {
    interval: time('Interval', 'interval'),
    timeout: time('Timeout', 'timeout'),
    retries: within('retries', number('Retries')),
    startPeriod: time('StartPeriod', 'startPeriod'),
  };
  return command === undefined ? undefined : { ...times, command };
}

/** The other way round. */
export function healthCheckJson({ command, interval, timeout, retries, startPeriod }: HealthPlan): object {
  return {
    Test: ['CMD', ...command],
    Interval: interval * NANOSECONDS,
    Timeout: timeout * NANOSECONDS,
    StartPeriod: startPeriod * NANOSECONDS,
    Retries: retries,
  };
}

function commandOf([kind, ...words]: readonly string[]): readonly string[] | undefined {
  const [line] = words;
  if (line === undefined) return undefined;
  if (kind === 'CMD') return words;
  return kind === 'CMD-SHELL' ? shellCommand(line) : undefined;
}

function within(of: keyof Times, value: number): number {
  const { least, most } = HEALTH_LIMITS[of];
  return value === 0 ? HEALTH_DEFAULTS[of] : Math.min(most, Math.max(least, value));
}
