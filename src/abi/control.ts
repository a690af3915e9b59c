/**
 * The protocol between a command and a running pod's supervisor: a unix seqpacket socket `ctl` in the pod directory
 * (mode 0600, peer credentials checked). One JSON text a packet; file descriptors travel with the packet that names them.
 * A connection carries one request and its answers.
 */
import { ENDPOINTS, type Endpoint } from './attach.ts';
import { type CopyPlan, parseCopyPlan } from './copy-plan.ts';
import { AbiError, FieldReader } from './json.ts';
import { APP_ACTIONS, type AppAction, type AppRelaxations } from './stage1.ts';
import {
  type AppStatistics,
  type PodStatistics,
  parseAppStatistics,
  parsePodStatistics,
} from './statistics.ts';

export const CONTROL_MESSAGE_MAX_BYTES = 65536;

export type ControlRequest =
  /** End the pod: orderly, or at once. Answered by `done` when the supervisor has taken it. */
  | { readonly type: 'stop'; readonly force: boolean }
  /**
   * Start a process in a running app. Comes with descriptors: stdin, stdout, stderr, or one terminal. Answered by `refused` or
   * `failed`, or by `started` and at last `exited`; closing the connection before that sends the process SIGHUP.
   */
  | {
      readonly type: 'exec';
      readonly app: string;
      readonly argv: readonly string[];
      readonly terminal: { readonly rows: number; readonly columns: number } | null;
    }
  /** Copy files of a running app. Comes with stdin, stdout and stderr, and goes on as `exec` does; the code is 0 when all is copied. */
  | { readonly type: 'copy'; readonly app: string; readonly plan: CopyPlan }
  /**
   * Of a mutable pod: bring an app's root into the machine, start it, end it, take it out. Answered by `done` when that is so,
   * `failed` when it did not start, or `refused`. One that comes with secrets brings the file that they are in (`secrets.ts`).
   */
  | {
      readonly type: 'app';
      readonly action: AppAction;
      readonly app: string;
      readonly relaxations: AppRelaxations | null;
    }
  /** What the pod uses: answered by `app-stats`, as many as it takes, and `stats`. */
  | { readonly type: 'stats' }
  /** Whether the pod's networks are as their plugins have left them: answered by the stage1 itself, `network-check` for each and `done`. */
  | { readonly type: 'check-networks' }
  /** Let the pod stand still, or go on; one that does already stays so. Answered by `done` or `refused`. */
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  /** Which of an app's streams can be attached to. Answered by `endpoints` or `refused`. */
  | { readonly type: 'endpoints'; readonly app: string }
  /**
   * Join descriptors to an app's streams, one for each endpoint, in their order. Answered by `refused`, or by `attached` and, when nothing
   * is left to wait for, `done`; closing the connection before that detaches. A window is that of a terminal.
   */
  | {
      readonly type: 'attach';
      readonly app: string;
      readonly endpoints: readonly Endpoint[];
      readonly window: { readonly rows: number; readonly columns: number } | null;
    }
  /** Within a connection of exec, or of attach. */
  | { readonly type: 'resize'; readonly rows: number; readonly columns: number }
  /** Likewise; one that comes before the process runs is kept for it. */
  | { readonly type: 'signal'; readonly signal: number };

export type ControlAnswer =
  | { readonly type: 'done' }
  | { readonly type: 'refused'; readonly message: string }
  /** The process could not be started; `code` is what an app that failed so would have. */
  | { readonly type: 'failed'; readonly code: number; readonly message: string }
  | { readonly type: 'started'; readonly pid: number }
  | { readonly type: 'exited'; readonly code: number }
  | { readonly type: 'endpoints'; readonly names: readonly Endpoint[] }
  | { readonly type: 'attached' }
  | ({ readonly type: 'network-check' } & NetworkCheck)
  | { readonly type: 'app-stats'; readonly apps: readonly AppStatistics[] }
  | ({ readonly type: 'stats' } & PodStatistics);

const CHECK_VERDICTS = ['ok', 'failed', 'unknown'] as const;

export interface NetworkCheck {
  readonly network: string;
  /** `unknown` where its plugins cannot tell, or are not to be asked. */
  readonly verdict: (typeof CHECK_VERDICTS)[number];
  /** What a plugin says; empty unless the check has failed. */
  readonly problem: string;
}

const WINDOW_MAX = 65535;
const SIGNAL_MAX = 64;

/** @throws AbiError `bad-message` */
export function parseControlRequest(value: unknown): ControlRequest {
  const request = new FieldReader(value, 'control request');
  const type = request.word('type', [
    'stop',
    'exec',
    'copy',
    'app',
    'stats',
    'check-networks',
    'pause',
    'resume',
    'endpoints',
    'attach',
    'resize',
    'signal',
  ] as const);
  switch (type) {
    case 'stop':
      return { type, force: request.boolean('force') };
    case 'exec': {
      const argv = request.texts('argv', 4096);
      if (argv.length === 0) throw new AbiError('bad-message', 'control request.argv: is empty');
      const terminal = request.has('terminal') ? parseWindow(request.object('terminal')) : null;
      return { type, app: request.text('app', 512), argv, terminal };
    }
    case 'copy':
      return { type, app: request.text('app', 512), plan: parseCopyPlan(request.object('plan')) };
    case 'app':
      return {
        type,
        action: request.word('action', APP_ACTIONS),
        app: request.text('app', 512),
        relaxations: request.has('relaxations') ? parseRelaxations(request.object('relaxations')) : null,
      };
    case 'stats':
    case 'check-networks':
    case 'pause':
    case 'resume':
      return { type };
    case 'endpoints':
      return { type, app: request.text('app', 512) };
    case 'attach':
      return {
        type,
        app: request.text('app', 512),
        endpoints: parseEndpoints(request, 'endpoints'),
        window: request.has('window') ? parseWindow(request.object('window')) : null,
      };
    case 'resize':
      return { type, ...parseWindow(request) };
    case 'signal':
      return { type, signal: request.integer('signal', 1, SIGNAL_MAX) };
    default:
      return type satisfies never;
  }
}

function parseRelaxations(fields: FieldReader): AppRelaxations {
  return {
    disableCapabilitiesRestriction: fields.boolean('disableCapabilitiesRestriction'),
    disablePaths: fields.boolean('disablePaths'),
    disableSeccomp: fields.boolean('disableSeccomp'),
  };
}

function parseEndpoints(fields: FieldReader, name: string): Endpoint[] {
  const words = fields.texts(name, ENDPOINTS.length);
  const found = ENDPOINTS.filter((endpoint) => words.includes(endpoint));
  if (found.length !== words.length)
    throw new AbiError('bad-message', `${name}: ${JSON.stringify(words)} is not a list of endpoints`);
  return found;
}

function parseWindow(fields: FieldReader): { rows: number; columns: number } {
  return { rows: fields.integer('rows', 0, WINDOW_MAX), columns: fields.integer('columns', 0, WINDOW_MAX) };
}

/** @throws AbiError `bad-message` */
export function parseControlAnswer(value: unknown): ControlAnswer {
  const answer = new FieldReader(value, 'control answer');
  const type = answer.word('type', [
    'done',
    'refused',
    'failed',
    'started',
    'exited',
    'endpoints',
    'attached',
    'network-check',
    'app-stats',
    'stats',
  ] as const);
  switch (type) {
    case 'done':
      return { type };
    case 'refused':
      return { type, message: answer.string('message') };
    case 'failed':
      return { type, code: answer.integer('code', 0, 255), message: answer.string('message') };
    case 'started':
      return { type, pid: answer.integer('pid', 1, 1 << 30) };
    case 'exited':
      return { type, code: answer.integer('code', 0, 255) };
    case 'endpoints':
      return { type, names: parseEndpoints(answer, 'names') };
    case 'attached':
      return { type };
    case 'network-check':
      return {
        type,
        network: answer.text('network'),
        verdict: answer.word('verdict', CHECK_VERDICTS),
        problem: answer.string('problem'),
      };
    case 'app-stats':
      return { type, apps: parseAppStatistics(answer) };
    case 'stats':
      return { type, ...parsePodStatistics(answer) };
    default:
      return type satisfies never;
  }
}
