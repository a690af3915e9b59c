import { refuseWithoutNetwork, requestedPorts } from '../stage0/port-request.ts';
import type { StartRequest } from '../stage0/supervisor.ts';
import type { FlagValues } from './app-arguments.ts';
import { Flag, values } from './flag.ts';
import { all } from './flag-values.ts';

const DESCRIPTION = 'a port of the host that leads to the pod; also [IP:]HOST[-END]:POD[-END][/udp|/sctp]';

export const PORT_FLAG = new Flag('port', values('NAME:[IP:]HOST'), DESCRIPTION);

/** Without apps there is nobody whose names could be used. */
export const SANDBOX_PORT_FLAG = new Flag('port', values('NAME:PROTOCOL:POD:[IP]:HOST'), DESCRIPTION);

/** Throws NetError `bad-request`. */
export function portRequest(
  flags: FlagValues,
  of: 'images' | 'sandbox',
): { readonly ports?: ReturnType<typeof requestedPorts> } {
  const texts = all(flags, PORT_FLAG.name());
  return texts.length === 0 ? {} : { ports: requestedPorts(texts, of) };
}

/** Said before anything is fetched. Throws Stage0Error `bad-request`. */
export function refuseUselessPorts(flags: FlagValues, { net }: StartRequest): void {
  if (flags.has(PORT_FLAG.name())) refuseWithoutNetwork(net, `--${PORT_FLAG.name()} flag does`);
}
