/** What follows an app's end, and how its health is checked: from a request to annotations of the pod manifest. */
import type { RestartPlan } from '../abi/boot-plan.ts';
import {
  formatHealth,
  HEALTH_ANNOTATION,
  HEALTH_DEFAULTS,
  type HealthPlan,
  healthOf,
  shellCommand,
} from '../abi/health.ts';
import { AbiError } from '../abi/json.ts';
import { formatRestart, RESTART_ANNOTATION, restartOf } from '../abi/restart.ts';
import { type Annotation, type ImageManifest, parseACIdentifier, type RuntimeApp } from '../appc/index.ts';
import { Stage0Error } from './errors.ts';

export interface LifeRequest {
  readonly restart?: RestartPlan;
  readonly health?: HealthRequest;
}

/** What is absent is the image's check's to say, or has a default. */
export interface HealthRequest extends Partial<Omit<HealthPlan, 'command'>> {
  /** A line for a shell; empty: no checks, though the image has one. */
  readonly line?: string;
}

/** The app with the request in its annotations. Throws Stage0Error `bad-request`. */
export function withLife(
  app: RuntimeApp,
  { restart, health }: LifeRequest,
  image: ImageManifest,
): RuntimeApp {
  return checkedLife({
    ...app,
    annotations: [
      ...app.annotations.filter(
        ({ name }) =>
          !(name === RESTART_ANNOTATION && restart !== undefined) &&
          !(name === HEALTH_ANNOTATION && health !== undefined),
      ),
      ...annotation(RESTART_ANNOTATION, restart === undefined ? undefined : formatRestart(restart)),
      ...annotation(HEALTH_ANNOTATION, requestedHealth(app, health, image)),
    ],
  });
}

/** Of a manifest that somebody else has written. Throws Stage0Error `bad-request`. */
function checkedLife(app: RuntimeApp): RuntimeApp {
  reading(app.name, () => ({ restart: restartOf(app), health: healthOf(app) }));
  return app;
}

/** A terminal goes with the process that it was opened for. Throws Stage0Error `bad-request`. */
export function refuseRestart(restart: RestartPlan | undefined): void {
  if (restart === undefined || restart.policy === 'no') return;
  throw new Stage0Error(
    'bad-request',
    `interactive option does not go with --restart=${formatRestart(restart)}: a terminal ends with its app`,
  );
}

/** Undefined where nothing is to be added. */
function requestedHealth(
  app: RuntimeApp,
  request: HealthRequest | undefined,
  image: ImageManifest,
): string | undefined {
  if (request === undefined && app.annotations.some(({ name }) => name === HEALTH_ANNOTATION))
    return undefined;
  const { line, ...times } = request ?? {};
  if (line === '') {
    if (Object.values(times).every((time) => time === undefined)) return undefined;
    throw new Stage0Error(
      'bad-request',
      `app ${app.name}: flags of a health check that --health-cmd= does without`,
    );
  }
  const own = reading(app.name, () => healthOf(image));
  const command = line === undefined ? own?.command : shellCommand(line);
  if (command !== undefined) return formatHealth({ ...HEALTH_DEFAULTS, ...own, ...times, command });
  if (request === undefined) return undefined;
  throw new Stage0Error(
    'bad-request',
    `app ${app.name}: flags of a health check, but neither --health-cmd nor image ${image.name} says what to run`,
  );
}

function annotation(name: string, value: string | undefined): readonly Annotation[] {
  return value === undefined ? [] : [{ name: parseACIdentifier(name), value }];
}

function reading<T>(app: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof AbiError)) throw cause;
    throw new Stage0Error('bad-request', `app ${app}: ${cause.message}`, { cause });
  }
}
