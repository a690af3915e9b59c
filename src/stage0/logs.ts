import { setTimeout as delay } from 'node:timers/promises';
import { LOG_STREAMS, type LogStream } from '../abi/log.ts';
import { podsDirectory } from '../pod/directory.ts';
import { lookUpPod } from '../pod/listing.ts';
import { LogReader, logDirectory, loggedApps } from '../pod/log-reader.ts';
import { type Observation, observe } from '../pod/observation.ts';
import { type PodRecord, readPod } from '../pod/record.ts';
import { Stage0Error } from './errors.ts';
import type { Host } from './host.ts';
import { LineReader, type LogPart, lastLines, merged } from './log-lines.ts';
import { hasEnded } from './patience.ts';

export type { LogPart, LogSource } from './log-lines.ts';

export interface LogsRequest {
  /** A UUID or the beginning of one, or a name. */
  readonly uuid: string;
  /** Undefined: all. */
  readonly app: string | undefined;
  /** Undefined: both. */
  readonly stream: LogStream | undefined;
  /** Lines that begin later, in microseconds since 1970. */
  readonly since: number | undefined;
  /** At most so many of the lines that are there. */
  readonly tail: number | undefined;
  /** Go on until the pod has ended. */
  readonly follow: boolean;
}

const POLL_MILLISECONDS = 100;

/** What was there at a time. */
export interface LogPortion {
  /** Whether lines of more than one app may come. */
  readonly severalApps: boolean;
  /** In the order in which they came; to be read before the next portion. */
  readonly parts: Iterable<LogPart>;
}

/**
 * The logs of a pod that runs or has run. Throws PodError when there is no such pod, Stage0Error `not-running` for one that has
 * never run, `bad-request` for an app it does not have.
 */
export function logs(host: Host, request: LogsRequest): AsyncGenerator<LogPortion> {
  const reference = lookUpPod(podsDirectory(host.dataDirectory), request.uuid);
  const record = readPod(reference);
  const pod = observe(reference);
  if (pod === undefined || record === undefined)
    throw new Stage0Error('no-pod', `pod ${JSON.stringify(reference.uuid)} was removed`);
  check(pod, record, request);
  return portions(pod, record, request);
}

async function* portions(
  observed: Observation,
  record: PodRecord,
  request: LogsRequest,
): AsyncGenerator<LogPortion> {
  using pod = observed;
  using streams = new PodStreams(pod, request);
  for (let isFirst = true; ; isFirst = false) {
    // Before it is read: what an app has written is there when its pod has ended.
    const isFinal = hasEnded(pod.reference);
    const parts = since(streams.read(isFinal), request.since);
    yield {
      severalApps: appsOf(pod, record).length > 1,
      parts: isFirst && request.tail !== undefined ? lastLines(parts, request.tail) : parts,
    };
    if (isFinal || !request.follow) return;
    await delay(POLL_MILLISECONDS);
  }
}

function check(pod: Observation, record: PodRecord, { app }: LogsRequest): void {
  if (['preparing', 'aborted prepare', 'prepared', 'garbage', 'deleting'].includes(record.state))
    throw new Stage0Error('not-running', `pod ${JSON.stringify(record.uuid)} has not run`);
  const names = appsOf(pod, record);
  if (app !== undefined && !names.includes(app))
    throw new Stage0Error(
      'bad-request',
      `no app ${JSON.stringify(app)} in the pod: it has ${names.join(', ')}`,
    );
}

/** The apps that it began with, and those that came later and have left a log. */
function appsOf(pod: Observation, { apps }: PodRecord): string[] {
  return [...new Set([...apps.map(({ name }) => name), ...loggedApps(pod)])];
}

/** The streams that are asked for, of the apps that there are: in a mutable pod more may come. */
class PodStreams implements Disposable {
  readonly #pod: Observation;
  readonly #request: LogsRequest;
  readonly #readers = new Map<string, LineReader>();

  constructor(pod: Observation, request: LogsRequest) {
    this.#pod = pod;
    this.#request = request;
  }

  *read(isFinal: boolean): Generator<LogPart> {
    const { app, stream } = this.#request;
    const apps = app === undefined ? loggedApps(this.#pod) : [app];
    const wanted = stream === undefined ? LOG_STREAMS : [stream];
    const readers = apps.flatMap((name) => wanted.map((which) => this.#reader(name, which)));
    yield* merged(readers.map((reader) => reader.read(isFinal)));
  }

  [Symbol.dispose](): void {
    for (const reader of this.#readers.values()) reader[Symbol.dispose]();
  }

  #reader(app: string, stream: LogStream): LineReader {
    const key = `${app}/${stream}`;
    const known = this.#readers.get(key);
    if (known !== undefined) return known;
    const made = new LineReader({ app, stream }, new LogReader(logDirectory(this.#pod, app), stream));
    this.#readers.set(key, made);
    return made;
  }
}

function* since(parts: Iterable<LogPart>, time: number | undefined): Generator<LogPart> {
  for (const part of parts) if (time === undefined || part.time >= time) yield part;
}
