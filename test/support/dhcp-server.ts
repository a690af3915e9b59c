import { createSocket } from 'node:dgram';
import { existsSync } from 'node:fs';

// A DHCP server with one address: `ADDRESS BROADCAST FILE`. Its leases are to be renewed after a second; once there is such a file, it
// wants the address back. It writes the type of every message that comes.

const [address = '', broadcast = '', wantedBack = ''] = process.argv.slice(2);
const [DISCOVER, OFFER, REQUEST, ACK, NAK] = [1, 2, 3, 5, 6];
const OPTIONS_AT = 240;

function bytesOf(text: string): number[] {
  return text.split('.').map(Number);
}

function typeOf(message: Buffer): number {
  for (let at = OPTIONS_AT; at < message.length && message[at] !== 255; at += 2 + (message[at + 1] ?? 0))
    if (message[at] === 53) return message[at + 2] ?? 0;
  return 0;
}

function reply(question: Buffer, type: number): Buffer {
  const answer = Buffer.alloc(OPTIONS_AT);
  question.copy(answer, 0, 0, OPTIONS_AT);
  answer[0] = 2;
  answer.set(bytesOf(address), 16);
  const seconds = (code: number, value: number) => [code, 4, 0, 0, 0, value];
  const mask = [1, 4, 255, 255, 255, 0];
  return Buffer.concat([
    answer,
    Buffer.from([53, 1, type, ...seconds(51, 60), ...seconds(58, 1), ...mask, 255]),
  ]);
}

const socket = createSocket('udp4');
socket.on('message', (message) => {
  const type = typeOf(message);
  process.stdout.write(`message ${type}\n`);
  if (type === DISCOVER) socket.send(reply(message, OFFER), 68, broadcast);
  if (type === REQUEST) socket.send(reply(message, existsSync(wantedBack) ? NAK : ACK), 68, broadcast);
});
socket.bind(67, () => {
  socket.setBroadcast(true);
  process.stdout.write('serves\n');
});
