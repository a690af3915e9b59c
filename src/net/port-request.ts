/** `--port`: what is to be published, in the words of a command line and in those of a pod manifest. */
import { LARGEST_PORT, PORT_PROTOCOLS, type PortProtocol } from '../abi/published-ports.ts';
import { type ACName, type ExposedPort, isACName, parseACName } from '../appc/index.ts';
import { canonicalAddress } from './address.ts';
import { NetError } from './error.ts';

/** An address of the host, in brackets where it is one of IPv6; what it has in it is looked at later. */
const ADDRESS = String.raw`(?:(\[[^\]]*\]|[^:[\]]+):)?`;
const NUMBERED = new RegExp(String.raw`^${ADDRESS}(\d+)(?:-(\d+))?:(\d+)(?:-(\d+))?(?:/([^/]*))?$`);
const NAMED = new RegExp(String.raw`^([^:[\]/]+):${ADDRESS}(\d+)$`);
const SANDBOX = /^([^:]*):([^:]*):(\d+):(\[[^\]]*\]|[^:[\]]*):(\d+)$/;

/**
 * `[IP:]HOST[-END]:POD[-END][/udp|/sctp]`, or as rkt `NAME:[IP:]HOST` for a port that an app's image has under this name. Port 0 of the
 * host is any that is free. What begins with a number is never a name: an image cannot choose what a command line means.
 * @throws NetError `bad-request`
 */
export function parsePort(text: string): ExposedPort {
  const numbered = NUMBERED.exec(text);
  if (numbered !== null) return numberedPort(text, numbered);
  const [, name, address, hostPort] = NAMED.exec(text) ?? [];
  if (name === undefined || !isACName(name))
    throw bad(text, 'expected NAME:[IP:]HOST, or [IP:]HOST[-END]:POD[-END][/udp|/sctp]');
  return { name: parseACName(name), hostPort: hostNumber(text, hostPort), ...hostAddress(text, address) };
}

/** rkt's form for pods without apps, `NAME:PROTOCOL:POD:[IP]:HOST`, or one of numbers. @throws NetError `bad-request` */
export function parseSandboxPort(text: string): ExposedPort {
  const numbered = NUMBERED.exec(text);
  if (numbered !== null) return numberedPort(text, numbered);
  const [, name, protocol = '', podPort, address, hostPort] = SANDBOX.exec(text) ?? [];
  if (name === undefined || !isACName(name))
    throw bad(text, 'expected NAME:PROTOCOL:POD:[IP]:HOST, or [IP:]HOST[-END]:POD[-END][/udp|/sctp]');
  const port = { first: podNumber(text, podPort), count: 1, protocol: protocolOf(text, protocol) };
  return exposed(parseACName(name), port, hostNumber(text, hostPort), hostAddress(text, address));
}

function numberedPort(text: string, match: RegExpExecArray): ExposedPort {
  const [, address, hostFirst, hostEnd, podFirst, podEnd, protocol] = match;
  const host = hostNumber(text, hostFirst);
  const first = podNumber(text, podFirst);
  const count = countOf(text, first, podEnd);
  const ofHost = hostEnd === undefined ? 1 : countOf(text, host, hostEnd);
  // Of any free port the end cannot be known.
  const isAny = host === 0 && hostEnd === undefined;
  if (!isAny && ofHost !== count) throw bad(text, `${ofHost} of the host cannot lead to ${count} of the pod`);
  const port = { first, count, protocol: protocolOf(text, protocol ?? 'tcp') };
  const name = parseACName(`${first}-${port.protocol}`);
  return exposed(name, port, host, hostAddress(text, address));
}

function exposed(
  name: ACName,
  port: { readonly first: number; readonly count: number; readonly protocol: PortProtocol },
  hostPort: number,
  address: Pick<ExposedPort, 'hostIP'>,
): ExposedPort {
  const { first, count, protocol } = port;
  return {
    name,
    hostPort,
    ...address,
    podPort: { name, protocol, port: first, count, socketActivated: false },
  };
}

function hostNumber(text: string, digits = ''): number {
  return checkedNumber(text, digits, 0);
}

function podNumber(text: string, digits = ''): number {
  return checkedNumber(text, digits, 1);
}

function checkedNumber(text: string, digits: string, least: number): number {
  const value = Number(digits);
  if (value < least || value > LARGEST_PORT)
    throw bad(text, `port ${digits} is not from ${least} to ${LARGEST_PORT}`);
  return value;
}

function countOf(text: string, first: number, end: string | undefined): number {
  if (end === undefined) return 1;
  const last = checkedNumber(text, end, 1);
  if (first === 0 || last < first) throw bad(text, `${first}-${end} is no range`);
  return last - first + 1;
}

function protocolOf(text: string, word: string): PortProtocol {
  const protocol = PORT_PROTOCOLS.find((known) => known === word.toLowerCase());
  if (protocol === undefined)
    throw bad(text, `${JSON.stringify(word)} is not one of ${PORT_PROTOCOLS.join(', ')}`);
  return protocol;
}

function hostAddress(text: string, address = ''): Pick<ExposedPort, 'hostIP'> {
  if (address === '') return {};
  const isBracketed = address.startsWith('[');
  const hostIP = canonicalAddress(isBracketed ? address.slice(1, -1) : address);
  if (hostIP === undefined || hostIP.includes(':') !== isBracketed)
    throw bad(text, `${JSON.stringify(address)} is no IP address`);
  return { hostIP };
}

function bad(text: string, problem: string): NetError {
  return new NetError('bad-request', `--port=${text}: ${problem}`);
}
