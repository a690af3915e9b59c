import { type EnvironmentVariable, readEnvironment } from './environment.ts';
import type { Isolator } from './isolator.ts';
import { readIsolators } from './isolator-reader.ts';
import {
  arrayOf,
  type Cursor,
  fields,
  kernelString,
  nonEmptyString,
  oneOf,
  type StringMap,
  unique,
} from './json.ts';
import { sortedMap, unlessEmpty, withoutUndefined } from './json-value.ts';
import { type Port, portJson, readPort } from './port.ts';
import { type MountPoint, mountPointJson, readAbsolutePath, readMountPoint, readUserID } from './volume.ts';

/** How an app is executed. What a manifest may leave out is empty here. */
export interface App {
  readonly exec: readonly string[];
  readonly eventHandlers: readonly EventHandler[];
  /** A name, a number, or an absolute path whose owner is meant. */
  readonly user: string;
  readonly group: string;
  readonly supplementaryGIDs: readonly number[];
  /** Absolute; `/` when absent. */
  readonly workingDirectory?: string;
  readonly environment: readonly EnvironmentVariable[];
  readonly mountPoints: readonly MountPoint[];
  readonly ports: readonly Port[];
  readonly isolators: readonly Isolator[];
  readonly userAnnotations: StringMap;
  readonly userLabels: StringMap;
}

export interface EventHandler {
  readonly name: 'pre-start' | 'post-stop';
  readonly exec: readonly string[];
}

/** An app of root without anything, to be spread into those that have something. */
export const blankApp: App = {
  exec: [],
  eventHandlers: [],
  user: '0',
  group: '0',
  supplementaryGIDs: [],
  environment: [],
  mountPoints: [],
  ports: [],
  isolators: [],
  userAnnotations: {},
  userLabels: {},
};

export function readApp(at: Cursor): App {
  const app = fields(at);
  return withoutUndefined({
    exec: app.list('exec', kernelString),
    eventHandlers: app.optional('eventHandlers', readEventHandlers) ?? [],
    user: app.required('user', nonEmptyString),
    group: app.required('group', nonEmptyString),
    supplementaryGIDs: app.list('supplementaryGIDs', readUserID),
    workingDirectory: app.optional('workingDirectory', readWorkingDirectory),
    environment: app.optional('environment', readEnvironment) ?? [],
    mountPoints: app.list('mountPoints', readMountPoint),
    ports: app.list('ports', readPort),
    isolators: app.optional('isolators', readIsolators) ?? [],
    userAnnotations: app.map('userAnnotations'),
    userLabels: app.map('userLabels'),
  });
}

/** In the order of the Go schema, which leaves out what is empty. */
export function appJson(app: App) {
  return {
    exec: app.exec,
    eventHandlers: unlessEmpty(app.eventHandlers.map(({ name, exec }) => ({ name, exec }))),
    user: app.user,
    group: app.group,
    supplementaryGIDs: unlessEmpty(app.supplementaryGIDs),
    workingDirectory: app.workingDirectory,
    environment: unlessEmpty(app.environment.map(({ name, value }) => ({ name, value }))),
    mountPoints: unlessEmpty(app.mountPoints.map(mountPointJson)),
    ports: unlessEmpty(app.ports.map(portJson)),
    isolators: unlessEmpty(app.isolators.map(isolatorJson)),
    userAnnotations: sortedMap(app.userAnnotations),
    userLabels: sortedMap(app.userLabels),
  };
}

export function isolatorJson({ name, value }: Isolator) {
  return { name, value };
}

function readWorkingDirectory(at: Cursor): string | undefined {
  return at.value === '' ? undefined : readAbsolutePath(at);
}

function readEventHandlers(at: Cursor): readonly EventHandler[] {
  const handlers = arrayOf(readEventHandler)(at);
  unique(at, handlers, (handler) => handler.name, 'event handler');
  return handlers;
}

function readEventHandler(at: Cursor): EventHandler {
  const handler = fields(at);
  return {
    name: handler.required('name', oneOf('pre-start', 'post-stop')),
    exec: handler.list('exec', kernelString),
  };
}
