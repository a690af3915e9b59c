import type { ControlRequest } from '../src/abi/control.ts';
import type { Caller, ControlHandler } from '../src/supervisor/control-server.ts';
import { ExecSession } from '../src/supervisor/exec-session.ts';
import type { Session } from '../src/supervisor/session.ts';
import { closeAll } from '../src/supervisor/streams.ts';

/** What commands can ask of a running pod. */
export class PodControl implements ControlHandler {
  readonly #session: Session;
  readonly #stop: (force: boolean) => void;
  readonly #execs = new WeakMap<Caller, ExecSession>();

  constructor(session: Session, stop: (force: boolean) => void) {
    this.#session = session;
    this.#stop = stop;
  }

  request(request: ControlRequest, fds: readonly number[], caller: Caller): void {
    const exec = this.#execs.get(caller);
    if (request.type === 'exec' && exec === undefined) {
      this.#exec(request, fds, caller);
      return;
    }
    closeAll(fds);
    if (request.type === 'resize' && exec !== undefined) {
      exec.resize(request.rows, request.columns);
    } else if (request.type === 'signal' && exec !== undefined) {
      exec.signal(request.signal);
    } else if (request.type === 'stop' && exec === undefined) {
      caller.answer({ type: 'done' });
      caller.finish();
      this.#stop(request.force);
    } else {
      caller.answer({ type: 'refused', message: `${request.type} makes no sense on this connection` });
      caller.finish();
    }
  }

  #exec(request: Extract<ControlRequest, { type: 'exec' }>, fds: readonly number[], caller: Caller): void {
    const exec = ExecSession.start(this.#session, request, fds, caller);
    if (exec !== undefined) this.#execs.set(caller, exec);
  }
}
