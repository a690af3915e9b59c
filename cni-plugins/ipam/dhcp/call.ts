/** What the plugin and its daemon say to each other: one packet of JSON each way. Both are of one program. */
import { FieldReader } from '../../../src/abi/json.ts';
import { utf8Decode, utf8Encode } from '../../../src/native/engine.ts';
import { hasCode } from '../../../src/native/errors.ts';
import { close } from '../../../src/native/files.ts';
import { receive, send } from '../../../src/native/messages.ts';
import { connectTo } from '../../../src/native/sockets.ts';
import { CNI_ERROR, CniError } from '../../../src/net/cni/errors.ts';
import { parseList } from '../../../src/net/cni/result-parts.ts';

export const STANDARD_SOCKET = '/run/cni/dhcp.sock';
export const LARGEST_PACKET = 65536;
const LONGEST = 4096;

const COMMANDS = ['ADD', 'CHECK', 'DEL', 'STATUS'] as const;

export interface DhcpCall {
  readonly command: (typeof COMMANDS)[number];
  readonly network: string;
  readonly containerId: string;
  readonly ifName: string;
  readonly netns: string | undefined;
  /** What servers are asked to tell, and what they are told. */
  readonly parameters: readonly number[];
  readonly provided: readonly { readonly code: number; readonly value: string }[];
  readonly priority: number | undefined;
}

export type DhcpAnswer = { readonly result: unknown } | { readonly error: string };

export function parseCall(text: string): DhcpCall {
  const fields = new FieldReader(JSON.parse(text), 'call');
  return {
    command: fields.word('command', COMMANDS),
    network: fields.text('network', LONGEST),
    containerId: fields.text('containerId', LONGEST),
    ifName: fields.text('ifName', LONGEST),
    netns: fields.has('netns') ? fields.text('netns', LONGEST) : undefined,
    parameters: fields.integers('parameters', 255, 1, 254),
    provided: parseList(fields, 'provided', parseProvided),
    priority: fields.has('priority') ? fields.integer('priority', 0, 2 ** 32 - 1) : undefined,
  };
}

function parseProvided(value: unknown, where: string): DhcpCall['provided'][number] {
  const fields = new FieldReader(value, where);
  return { code: fields.integer('code', 1, 254), value: fields.string('value', 255) };
}

/** Whether a daemon answers. */
export function isServed(path: string): boolean {
  const nobody = { network: '', containerId: '', ifName: '', netns: undefined };
  return (
    callDaemon(path, { ...nobody, command: 'STATUS', parameters: [], provided: [], priority: undefined }) !==
    undefined
  );
}

/** Undefined where there is no daemon. */
export function callDaemon(path: string, call: DhcpCall): unknown {
  const fd = connect(path);
  if (fd === undefined) return undefined;
  try {
    send(fd, utf8Encode(JSON.stringify(call)));
    const text = utf8Decode(receive(fd, LARGEST_PACKET)?.bytes ?? new Uint8Array(0));
    if (text === '')
      throw new CniError(CNI_ERROR.tryAgain, `the dhcp daemon at '${path}' has ended without an answer`);
    const answer = new FieldReader(JSON.parse(text), 'answer');
    if (answer.has('error')) throw new CniError(CNI_ERROR.internal, answer.string('error'));
    return answer.raw('result');
  } finally {
    close(fd);
  }
}

function connect(path: string): number | undefined {
  try {
    return connectTo('seqpacket', { kind: 'path', path });
  } catch (error) {
    if (hasCode(error, 'ENOENT', 'ECONNREFUSED')) return undefined;
    throw error;
  }
}
