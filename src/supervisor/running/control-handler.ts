import type { ControlRequest } from '../../abi/control.ts';
import { serveApp } from '../apps/app-requests.ts';
import { AttachSession, openEndpoints } from '../attach-session.ts';
import type { Caller, ControlHandler } from '../control-server.ts';
import { ExecSession } from '../exec-session.ts';
import { closeAll } from '../streams.ts';
import { pause, resume } from './pausing.ts';
import type { RunningPod } from './running-pod.ts';
import { tellStatistics } from './statistics-request.ts';

/** A connection that goes on after its first request. */
export interface Conversation {
  /** False for a request that makes no sense in it. */
  take(request: ControlRequest): boolean;
}

/** Answers a connection's first request; it, or the conversation that it begins, ends with `caller.finish()`. */
export type Opener<T extends ControlRequest['type']> = (
  pod: RunningPod,
  request: Extract<ControlRequest, { type: T }>,
  caller: Caller,
  fds: readonly number[],
) => Conversation | undefined;

/** What a connection can begin with. What is not here makes sense within a conversation only. */
const OPENERS: { readonly [T in ControlRequest['type']]?: Opener<T> } = {
  attach: ({ session, apps }, request, caller, fds) =>
    AttachSession.start(session, apps.endpointsOf(request.app), request, fds, caller),
  endpoints: ({ apps }, { app }, caller) => {
    const names = apps.endpointsOf(app);
    if (names === undefined)
      caller.answer({ type: 'refused', message: `app ${JSON.stringify(app)} does not run in this pod` });
    else caller.answer({ type: 'endpoints', names: openEndpoints(names) });
    caller.finish();
    return undefined;
  },
  app: ({ mutable }, request, caller, fds) => serveApp(mutable, request, caller, fds),
  copy: ({ session }, request, caller, fds) => ExecSession.start(session, request, fds, caller),
  exec: ({ session }, request, caller, fds) => ExecSession.start(session, request, fds, caller),
  pause,
  resume,
  stats: tellStatistics,
  stop: (pod, { force }, caller) => {
    caller.answer({ type: 'done' });
    caller.finish();
    pod.stop(force);
    return undefined;
  },
};

/** Those whose openers take the descriptors over that come with the request. */
const WITH_DESCRIPTORS: ReadonlySet<ControlRequest['type']> = new Set(['exec', 'copy', 'attach', 'app']);

/** What only a guest that runs can do. */
const NEEDS_GUEST: ReadonlySet<ControlRequest['type']> = new Set(['exec', 'copy', 'app']);

/** What commands can ask of a running pod. */
export class PodControl implements ControlHandler {
  readonly #pod: RunningPod;
  readonly #conversations = new WeakMap<Caller, Conversation>();

  constructor(pod: RunningPod) {
    this.#pod = pod;
  }

  request(request: ControlRequest, fds: readonly number[], caller: Caller): void {
    const conversation = this.#conversations.get(caller);
    const open = conversation === undefined ? openerOf(request) : undefined;
    const takesDescriptors = open !== undefined && WITH_DESCRIPTORS.has(request.type);
    if (!takesDescriptors) closeAll(fds);
    if (open !== undefined && NEEDS_GUEST.has(request.type) && this.#pod.standstill.isPaused) {
      if (takesDescriptors) closeAll(fds);
      caller.answer({ type: 'refused', message: 'the pod is paused' });
      caller.finish();
    } else if (open !== undefined) {
      const begun = open(this.#pod, request, caller, takesDescriptors ? fds : []);
      if (begun !== undefined) this.#conversations.set(caller, begun);
    } else if (conversation?.take(request) !== true) {
      caller.answer({ type: 'refused', message: `${request.type} makes no sense on this connection` });
      caller.finish();
    }
  }
}

/** The table pairs each request with its opener; the type of a look-up in it does not. */
function openerOf<T extends ControlRequest['type']>(request: { readonly type: T }): Opener<T> | undefined {
  return OPENERS[request.type];
}
