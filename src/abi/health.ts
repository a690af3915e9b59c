/** The health check of an app, as the annotation of a pod manifest's app writes it, and what is known of an app's health. */
import { type Annotation, annotationValue } from '../appc/annotations.ts';
import { AbiError, FieldReader } from './json.ts';

/** Of a pod manifest's app, and of an image's manifest when it was made from a Docker image with a health check. */
export const HEALTH_ANNOTATION = 'coreos.com/rkt/app/health';

/** Times in milliseconds. */
export interface HealthPlan {
  /** Run in the app, as the app would run it. */
  readonly command: readonly string[];
  /** From the app's start, or the end of a check, to the next check. */
  readonly interval: number;
  /** A check that takes longer is killed, and has failed. */
  readonly timeout: number;
  /** So many failures in a row make an app unhealthy. */
  readonly retries: number;
  /** After the app's start: checks that fail before the first that does not are not counted. */
  readonly startPeriod: number;
}

export const HEALTH_DEFAULTS = { interval: 30_000, timeout: 10_000, retries: 3, startPeriod: 0 } as const;

export const HEALTH_LIMITS = {
  /** A check is a process and a file written. */
  interval: { least: 100, most: 86_400_000 },
  timeout: { least: 100, most: 86_400_000 },
  startPeriod: { least: 0, most: 86_400_000 },
  retries: { least: 1, most: 1_000_000 },
} as const;

const ARGUMENTS_MAX = 256;

const HEALTH_STATUSES = ['starting', 'healthy', 'unhealthy'] as const;

/** What the checks have found. Times are milliseconds since 1970. */
export interface HealthState {
  readonly status: (typeof HEALTH_STATUSES)[number];
  /** Failures in a row. */
  readonly failures: number;
  /** Of the last check: when it ended, with what code (null: it was killed, or could not start), and the end of its output. */
  readonly checked: number | null;
  readonly exitCode: number | null;
  readonly output: string;
}

export const UNCHECKED: HealthState = {
  status: 'starting',
  failures: 0,
  checked: null,
  exitCode: null,
  output: '',
};

/** `--health-cmd` is a line for a shell. */
export function shellCommand(line: string): readonly string[] {
  return ['/bin/sh', '-c', line];
}

/** Undefined for an app without checks. Throws AbiError `bad-plan`. */
export function healthOf(of: { readonly annotations: readonly Annotation[] }): HealthPlan | undefined {
  const text = annotationValue(of.annotations, HEALTH_ANNOTATION);
  return text === undefined ? undefined : parseHealth(text);
}

/** Throws AbiError `bad-plan`. */
export function parseHealth(text: string): HealthPlan {
  try {
    const plan = new FieldReader(JSON.parse(text), 'health');
    const command = plan.texts('command', ARGUMENTS_MAX);
    if (command.length === 0) throw new AbiError('bad-plan', 'health.command: is empty');
    const number = (key: keyof typeof HEALTH_DEFAULTS) =>
      plan.has(key)
        ? plan.integer(key, HEALTH_LIMITS[key].least, HEALTH_LIMITS[key].most)
        : HEALTH_DEFAULTS[key];
    return {
      command,
      interval: number('interval'),
      timeout: number('timeout'),
      retries: number('retries'),
      startPeriod: number('startPeriod'),
    };
  } catch (cause) {
    if (cause instanceof AbiError) throw new AbiError('bad-plan', cause.message, { cause });
    throw new AbiError('bad-plan', `health: not JSON: ${text.slice(0, 80)}`, { cause });
  }
}

export function formatHealth(plan: HealthPlan): string {
  return JSON.stringify(plan);
}

const OUTPUT_MAX = 65536;
const TIME_MAX = Number.MAX_SAFE_INTEGER;

/** @throws AbiError `bad-message` */
export function parseHealthState(state: FieldReader): HealthState {
  return {
    status: state.word('status', HEALTH_STATUSES),
    failures: state.integer('failures', 0, TIME_MAX),
    checked: state.has('checked') ? state.integer('checked', 0, TIME_MAX) : null,
    exitCode: state.has('exitCode') ? state.integer('exitCode', 0, 255) : null,
    output: state.string('output', OUTPUT_MAX),
  };
}
