import type { Endpoint } from '../abi/attach.ts';
import type { ControlRequest } from '../abi/control.ts';
import type { Caller } from './control-server.ts';
import type { Distributor } from './distributor.ts';
import { endpoint } from './endpoints.ts';
import type { Session } from './session.ts';
import type { StreamInput } from './stream-input.ts';
import { closeAll } from './streams.ts';
import type { TapEnd } from './tap.ts';

/** What of an app can be attached to, while it is open. */
export interface AppEndpoints {
  readonly inputs: ReadonlyMap<Endpoint, StreamInput>;
  readonly outputs: ReadonlyMap<Endpoint, Distributor>;
  /** The stream whose window follows whoever attaches to it. */
  readonly terminal: number | undefined;
}

type AttachRequest = Extract<ControlRequest, { type: 'attach' }>;

/** Who does not read for so long does not hold the app up any longer. */
const PATIENCE_MS = 10_000;

export function openEndpoints(endpoints: AppEndpoints | undefined): Endpoint[] {
  if (endpoints === undefined) return [];
  const inputs = [...endpoints.inputs].flatMap(([name, input]) => (input.isOpen ? [name] : []));
  const outputs = [...endpoints.outputs].flatMap(([name, output]) => (output.isOpen ? [name] : []));
  return [...inputs, ...outputs];
}

/** A caller at an app's streams. It comes and goes; the app notices only who is slow, and for how long is bounded. */
export class AttachSession {
  readonly #session: Session;
  readonly #caller: Caller;
  readonly #terminal: number | undefined;
  /** What is to be undone when the caller goes, for each endpoint that is open. */
  readonly #inputs = new Map<Endpoint, () => void>();
  readonly #outputs = new Map<Endpoint, () => void>();

  /** Refuses by an answer. `fds`, which are taken over, are those of the request's endpoints, in its order. */
  static start(
    session: Session,
    endpoints: AppEndpoints | undefined,
    request: AttachRequest,
    fds: readonly number[],
    caller: Caller,
  ): AttachSession | undefined {
    const refusal = refusalOf(endpoints, request, fds);
    if (endpoints === undefined || refusal !== undefined) {
      closeAll(fds);
      caller.answer({ type: 'refused', message: refusal ?? '' });
      caller.finish();
      return undefined;
    }
    return new AttachSession(session, endpoints, request, fds, caller);
  }

  private constructor(
    session: Session,
    endpoints: AppEndpoints,
    request: AttachRequest,
    fds: readonly number[],
    caller: Caller,
  ) {
    this.#session = session;
    this.#caller = caller;
    this.#terminal = endpoints.terminal;
    caller.answer({ type: 'attached' });
    caller.onGone(() => this.#leave());
    request.endpoints.forEach((name, index) => {
      this.#join(endpoints, name, fds[index] ?? -1);
    });
    closeAll(fds);
    if (request.window !== null) this.#resize(request.window);
  }

  take(request: ControlRequest): boolean {
    if (request.type !== 'resize') return false;
    this.#resize(request);
    return true;
  }

  #join({ inputs, outputs }: AppEndpoints, name: Endpoint, fd: number): void {
    const input = inputs.get(name);
    if (input !== undefined) {
      const pump = input.add(endpoint(fd, 'read'), () => this.#inputEnded(name));
      this.#inputs.set(name, () => input.remove(pump));
    }
    const output = outputs.get(name);
    if (output !== undefined) {
      const tap = output.add(endpoint(fd, 'write'), (end) => this.#outputEnded(name, end), PATIENCE_MS);
      this.#outputs.set(name, () => output.remove(tap));
    }
  }

  #resize({ rows, columns }: { readonly rows: number; readonly columns: number }): void {
    // A terminal that does not know its size says nothing of it.
    if (this.#terminal === undefined || rows === 0 || columns === 0) return;
    this.#session.send({ type: 'resize', stream: this.#terminal, rows, columns });
  }

  /** Who only writes is done; who reads as well goes on reading. */
  #inputEnded(name: Endpoint): void {
    this.#inputs.delete(name);
    if (this.#outputs.size === 0 && this.#inputs.size === 0) this.#finish();
  }

  #outputEnded(name: Endpoint, end: TapEnd): void {
    this.#outputs.delete(name);
    if (end === 'stalled') {
      this.#caller.answer({
        type: 'refused',
        message: `let go of, since no output was read for ${PATIENCE_MS / 1000} seconds`,
      });
      this.#leave();
      this.#caller.finish();
    } else if (this.#outputs.size === 0) this.#finish();
  }

  #finish(): void {
    this.#leave();
    this.#caller.answer({ type: 'done' });
    this.#caller.finish();
  }

  #leave(): void {
    for (const undo of [...this.#inputs.values(), ...this.#outputs.values()]) undo();
    this.#inputs.clear();
    this.#outputs.clear();
  }
}

function refusalOf(
  endpoints: AppEndpoints | undefined,
  { app, endpoints: wanted }: AttachRequest,
  fds: readonly number[],
): string | undefined {
  if (endpoints === undefined) return `app ${JSON.stringify(app)} does not run in this pod`;
  const open = openEndpoints(endpoints);
  const missing = wanted.find((name) => !open.includes(name));
  if (missing !== undefined)
    return `app ${app} has no ${missing} to attach to: it has ${open.join(', ') || 'none'}`;
  if (fds.length !== wanted.length)
    return `${fds.length} descriptors came with the request, not ${wanted.length}`;
  return undefined;
}
