import type { ExposedPort, PodManifest } from '../appc/index.ts';
import { parseNetRequest } from '../net/net-request.ts';
import { parsePort, parseSandboxPort } from '../net/port-request.ts';
import { wantedPorts } from '../net/published-ports.ts';
import { Stage0Error } from './errors.ts';

export { formatPublishedPort } from '../net/published-ports.ts';

/** `--port`, as it is given for images and for a pod without apps. Throws NetError `bad-request`. */
export function requestedPorts(texts: readonly string[], of: 'images' | 'sandbox'): readonly ExposedPort[] {
  return texts.map(of === 'images' ? parsePort : parseSandboxPort);
}

/** Throws NetError `bad-request` for ports that no app of the pod has, and for two that exclude each other. */
export function checkPorts(manifest: PodManifest): void {
  wantedPorts(manifest);
}

/** `what` ends in a verb: it `does not work`, in rkt's words. Throws Stage0Error, NetError `bad-request`. */
export function refuseWithoutNetwork(net: string, what: string): void {
  const { kind } = parseNetRequest(net);
  if (kind === 'none' || kind === 'host')
    throw new Stage0Error('bad-request', `${what} not work with '${kind}' networking`);
}
