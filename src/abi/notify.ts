/** What a service says of itself, as sd_notify(3) puts it into a datagram: lines of `NAME=VALUE`. */
import { type Annotation, annotationValue } from '../appc/annotations.ts';

/** Of an image whose app says itself when it is ready, as rkt had it. */
const NOTIFY_ANNOTATION = 'appc.io/executor/supports-systemd-notify';
/** Of whoever is to be told: systemd sets it for rkt, PID 1 of a pod listens there for the app. */
export const NOTIFY_ENV = 'NOTIFY_SOCKET';
/** Inside the app's root. In its /dev, which is the pod's own: nothing of it stays behind in the image. */
export const NOTIFY_DIRECTORY = '/dev/rkt';
export const NOTIFY_PATH = `${NOTIFY_DIRECTORY}/notify`;

export const NOTIFY_STATES = ['ready', 'stopping'] as const;
export type NotifyState = (typeof NOTIFY_STATES)[number];

export interface Notice {
  readonly state: NotifyState | null;
  /** A line for people. */
  readonly status: string | null;
}

export const STATUS_MAX = 512;

/** What the pod's supervisor may want to know; undefined where nothing is: keep-alives, file descriptors to store. */
export function parseNotice(text: string): Notice | undefined {
  const fields = new Map(text.split('\n').map(splitField));
  const state = fields.get('STOPPING') === '1' ? 'stopping' : fields.get('READY') === '1' ? 'ready' : null;
  const status = fields.get('STATUS')?.slice(0, STATUS_MAX) ?? null;
  return state === null && status === null ? undefined : { state, status };
}

/** Of several annotation lists the first that says anything. */
export function supportsNotify(...lists: readonly (readonly Annotation[])[]): boolean {
  const values = lists.map((annotations) => annotationValue(annotations, NOTIFY_ANNOTATION));
  return values.find((value) => value !== undefined) === 'true';
}

function splitField(line: string): [string, string] {
  const equals = line.indexOf('=');
  return equals === -1 ? [line, ''] : [line.slice(0, equals), line.slice(equals + 1)];
}
