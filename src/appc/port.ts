import {
  boolean,
  type Cursor,
  expected,
  fields,
  integer,
  nonEmptyString,
  type Reader,
  string,
} from './json.ts';
import { withoutUndefined } from './json-value.ts';
import { type ACName, readACName } from './names.ts';

/** A port, or `count` ports from `port` on, that an app listens on. */
export interface Port {
  readonly name: ACName;
  readonly protocol: string;
  readonly port: number;
  readonly count: number;
  readonly socketActivated: boolean;
}

/** A port of a pod's app that the host forwards to: the one of that name, or what `podPort` says. */
export interface ExposedPort {
  readonly name: ACName;
  /** 0: any that is free. */
  readonly hostPort: number;
  readonly hostIP?: string;
  readonly podPort?: Port;
}

const largestPort = 65_535;

const readPortNumber: Reader<number> = integer(1, largestPort);

export function readPort(at: Cursor): Port {
  const port = fields(at);
  const first = port.required('port', readPortNumber);
  const count = port.optional('count', integer(0, largestPort)) || 1;
  if (first + count - 1 > largestPort) {
    throw at.refuse(
      'invalid-value',
      `${at.path}.count`,
      `${count} ports from ${first} go beyond ${largestPort}`,
    );
  }
  return {
    name: port.required('name', readACName),
    protocol: port.required('protocol', nonEmptyString),
    port: first,
    count,
    socketActivated: port.optional('socketActivated', boolean) ?? false,
  };
}

export function readExposedPort(at: Cursor): ExposedPort {
  const port = fields(at);
  const hostIP = port.optional('hostIP', readAddress);
  return withoutUndefined({
    name: port.required('name', readACName),
    hostPort: port.required('hostPort', integer(0, largestPort)),
    hostIP: hostIP === '' ? undefined : hostIP,
    podPort: port.optional('podPort', readPort),
  });
}

/** In the order of the Go schema. */
export function portJson(port: Port) {
  const { name, protocol, port: first, count, socketActivated } = port;
  return { name, protocol, port: first, count, socketActivated };
}

export function exposedPortJson(port: ExposedPort) {
  const { name, hostPort, hostIP, podPort } = port;
  return { name, hostPort, hostIP, podPort: podPort && portJson(podPort) };
}

// Go writes an absent address as "". What the characters mean is checked where the address is used.
function readAddress(at: Cursor): string {
  const text = string(at);
  if (!/^[0-9a-fA-F:.]*$/.test(text)) throw expected(at, 'an IP address', 'invalid-value');
  return text;
}
