import { environment } from '../../native/engine.ts';
import { getpid } from '../../native/processes.ts';
import { SupervisorError } from '../error.ts';
import type { PodApp } from './pod.ts';

/**
 * Sockets that systemd has opened for rkt go no further: of a machine because they cannot become sockets of another kernel. An app that
 * is made to take one over would wait for ever, so that its pod is refused; sockets that no app asks for are nobody's business, as in
 * rkt. `refusal` says why it is not had. @throws SupervisorError `unsupported`
 */
export function refuseSocketActivation(apps: readonly Pick<PodApp, 'name' | 'app'>[], refusal: string): void {
  if (!hasSockets(environment('LISTEN_PID'), environment('LISTEN_FDS'))) return;
  for (const { name, app } of apps) {
    const port = app.ports.find(({ socketActivated }) => socketActivated);
    if (port === undefined) continue;
    throw new SupervisorError(
      'unsupported',
      `app ${name}: its port ${port.name} wants a socket of the service manager, which ${refusal}: forward connections by systemd-socket-proxyd`,
    );
  }
}

/** As sd_listen_fds(3) tells whether they are meant for us. */
function hasSockets(pid: string | undefined, count: string | undefined): boolean {
  return Number(pid) === getpid() && Number(count) > 0;
}
