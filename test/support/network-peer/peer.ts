/**
 * A machine's half of a test of networks, for roots without such programs. `peer serve PORT` answers whoever comes over TCP or UDP with
 * their address, as the agents of `network-agent.ts` do; `peer ask PROTOCOL,ADDRESS,PORT[,FROM[,SEND,RECEIVE]]...` prints a line for
 * each question: what is answered, the code of the error, or `silence`.
 */
import { Packer, Unpacker } from '../../../src/native/bytes.ts';
import { addressOf, argv, exit, utf8Decode, utf8Encode } from '../../../src/native/engine.ts';
import { SystemError } from '../../../src/native/errors.ts';
import { close, read, writeAll } from '../../../src/native/files.ts';
import { fork } from '../../../src/native/processes.ts';
import { setDisposition } from '../../../src/native/signals.ts';
import { attempt, call, checked } from '../../../src/native/syscall.ts';
import { ADDRESS_BYTES, packEndpoint, unpackAddress } from './addresses.ts';

const AF_INET6 = 10;
const TYPES = { tcp: 1, udp: 2 } as const;
type Protocol = keyof typeof TYPES;
const CLOSE_ON_EXEC = 0o2000000;
const SOL_SOCKET = 1;
const [SO_REUSEADDR, SO_RCVTIMEO, SO_SNDTIMEO] = [2, 20, 21];
const IPPROTO_IPV6 = 41;
const [IPV6_V6ONLY, IPV6_RECVPKTINFO] = [26, 49];
const PR_SET_PDEATHSIG = 1;
const SIGKILL = 9;
const [CONTROL_LENGTH_AT, VECTOR_AT] = [40, 56];
/** Of a struct cmsghdr with a struct in6_pktinfo. */
const [CONTROL_BYTES, INTERFACE_AT] = [64, 32];
const PATIENCE_SECONDS = 3;
const PIECE = 65536;

function openSocket(protocol: Protocol): number {
  const fd = call('socket', AF_INET6, TYPES[protocol] | CLOSE_ON_EXEC, 0);
  setOption(fd, IPPROTO_IPV6, IPV6_V6ONLY, new Packer().u32(0).finish());
  return fd;
}

function setOption(fd: number, level: number, name: number, value: Uint8Array): void {
  call('setsockopt', fd, level, name, value, value.length);
}

function bindTo(fd: number, address: string, port: number): void {
  setOption(fd, SOL_SOCKET, SO_REUSEADDR, new Packer().u32(1).finish());
  call('bind', fd, packEndpoint(address, port), ADDRESS_BYTES);
}

function lengthOfAddress(): Uint8Array {
  return new Packer().u32(ADDRESS_BYTES).finish();
}

/** Answers by the address that was asked, as a machine may have several. */
function serveUdp(fd: number): never {
  setOption(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, new Packer().u32(1).finish());
  const [bytes, from, control] = [PIECE, ADDRESS_BYTES, CONTROL_BYTES].map((size) => new Uint8Array(size));
  if (bytes === undefined || from === undefined || control === undefined) exit(1);
  for (;;) {
    const received = packMessage(from, bytes, control);
    call('recvmsg', fd, received, 0);
    const used = control.subarray(0, new Unpacker(received, CONTROL_LENGTH_AT).u64());
    // By which interface it came does not say by which the answer leaves.
    used.fill(0, INTERFACE_AT, INTERFACE_AT + 4);
    // By a name: what only the packed message knew of would be freed, and written over, before it is sent.
    const answer = utf8Encode(unpackAddress(from));
    attempt('sendmsg', fd, packMessage(from, answer, used), 0);
  }
}

/** struct msghdr, and a struct iovec behind it. */
function packMessage(address: Uint8Array, bytes: Uint8Array, control: Uint8Array): Uint8Array {
  const header = new Packer()
    .u64(addressOf(address))
    .u64(address.length)
    .u64(0)
    .u64(1)
    .u64(addressOf(control))
    .u64(control.length)
    .u64(0)
    .u64(addressOf(bytes))
    .u64(bytes.length)
    .finish();
  header.set(new Packer().u64(addressOf(header) + VECTOR_AT).finish(), 16);
  return header;
}

function serveTcp(fd: number): never {
  const from = new Uint8Array(ADDRESS_BYTES);
  for (;;) {
    const connection = call('accept4', fd, from, lengthOfAddress(), CLOSE_ON_EXEC);
    if (fork() === 0) {
      answer(connection, unpackAddress(from));
      exit(0);
    }
    close(connection);
  }
}

/** `SEND RECEIVE` and a line's end, then so many bytes come; the address and so many bytes go. */
function answer(connection: number, address: string): void {
  const bytes = new Uint8Array(PIECE);
  let line = '';
  while (!line.includes('\n')) {
    const length = read(connection, bytes);
    if (length === 0) return;
    line += utf8Decode(bytes.subarray(0, length));
  }
  const [send = 0, receive = 0] = line.split(' ').map(Number.parseFloat);
  let left = send - (line.length - line.indexOf('\n') - 1);
  while (left > 0) left -= read(connection, bytes) || left;
  writeAll(connection, utf8Encode(`${address}\n`));
  writeZeros(connection, receive);
}

function writeZeros(fd: number, count: number): void {
  const zeros = new Uint8Array(PIECE);
  for (let left = count; left > 0; left -= PIECE) writeAll(fd, zeros.subarray(0, Math.min(left, PIECE)));
}

function ask(question: string): string {
  const [protocol = '', address = '', port = '', from = '', send = '0', receive = '0'] = question.split(',');
  const fd = openSocket(protocol === 'udp' ? 'udp' : 'tcp');
  try {
    const patience = new Packer().u64(PATIENCE_SECONDS).u64(0).finish();
    for (const option of [SO_RCVTIMEO, SO_SNDTIMEO]) setOption(fd, SOL_SOCKET, option, patience);
    if (from !== '') bindTo(fd, from, 0);
    checked('connect', attempt('connect', fd, packEndpoint(address, Number(port)), ADDRESS_BYTES));
    writeAll(fd, utf8Encode(protocol === 'udp' ? '?' : `${send} ${receive}\n`));
    if (protocol === 'tcp') writeZeros(fd, Number(send));
    return hear(fd, protocol === 'udp' ? 0 : Number(receive));
  } catch (error) {
    if (!(error instanceof SystemError)) throw error;
    return ['EINPROGRESS', 'EAGAIN'].includes(error.code) ? 'silence' : error.code;
  } finally {
    close(fd);
  }
}

/** The first line, when as many bytes have come after it. */
function hear(fd: number, receive: number): string {
  const bytes = new Uint8Array(PIECE);
  let [text, count] = ['', 0];
  do {
    const length = read(fd, bytes);
    if (length === 0) break;
    if (!text.includes('\n')) text += utf8Decode(bytes.subarray(0, length));
    count += length;
  } while (count < receive);
  return text.split('\n')[0] ?? '';
}

const [, what = '', ...words] = argv();
if (what === 'serve') {
  setDisposition('SIGCHLD', 'ignore');
  const sockets = (['udp', 'tcp'] as const).map((protocol) => {
    const fd = openSocket(protocol);
    bindTo(fd, '::', Number(words[0]));
    return fd;
  });
  const [udp = -1, tcp = -1] = sockets;
  call('listen', tcp, 64);
  writeAll(1, utf8Encode('serves\n'));
  if (fork() === 0) {
    call('prctl', PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    serveUdp(udp);
  }
  serveTcp(tcp);
}
for (const question of words) writeAll(1, utf8Encode(`${ask(question)}\n`));
exit(0);
