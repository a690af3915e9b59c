import { formatNetRequest, parseNetRequest } from '../net/net-request.ts';

/**
 * The networks that a pod is to have, as the stage1 is told: those of all `--net`, one after the other; without any the default
 * network.
 * @throws NetError `bad-request`
 */
export function requestedNetworks(texts: readonly string[]): string {
  return formatNetRequest(parseNetRequest(texts.join(',')));
}
