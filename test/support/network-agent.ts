import { createSocket } from 'node:dgram';
import { connect, createServer, isIPv6 } from 'node:net';

// Runs in a network namespace of its own, which it holds, and serves and asks there for a test that is not in it.

export interface Endpoint {
  readonly protocol: 'tcp' | 'udp';
  readonly address: string;
  readonly port: number;
}

export type AgentRequest =
  /** Answers whoever comes with their address, then with as many bytes as they ask for. */
  | (Endpoint & { readonly do: 'serve' })
  /**
   * What is answered; or the error's code, or `silence`. Sends `send` bytes before, and takes `receive` bytes after. Who expects silence,
   * or asks again, waits `briefly`.
   */
  | (Endpoint & {
      readonly do: 'ask';
      readonly from?: string;
      readonly fromPort?: number;
      readonly send?: number;
      readonly receive?: number;
      readonly briefly?: boolean;
    });

export interface AgentAnswer {
  readonly id: number;
  readonly text: string;
}

const BRIEF_MILLISECONDS = 1500;
const PATIENT_MILLISECONDS = 120_000;

function serve({ protocol, address, port }: Endpoint): Promise<string> {
  return new Promise((resolve, reject) => {
    if (protocol === 'tcp') {
      const server = createServer((socket) => {
        socket.on('error', () => socket.destroy());
        let line = '';
        let left = -1;
        socket.on('data', (bytes) => {
          if (left < 0) {
            line += bytes.toString('latin1');
            const end = line.indexOf('\n');
            if (end === -1) return;
            const after = line.length - end - 1;
            line = line.slice(0, end);
            left = Number(line.split(' ')[0]) - after;
          } else left -= bytes.length;
          if (left > 0) return;
          socket.write(`${socket.remoteAddress?.replace('::ffff:', '')}\n`);
          socket.end(Buffer.alloc(Number(line.split(' ')[1])));
        });
      });
      server.once('error', reject);
      server.listen(port, address, () => resolve('served'));
      return;
    }
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    socket.on('message', (_, from) =>
      socket.send(from.address.replace('::ffff:', ''), from.port, from.address),
    );
    socket.once('error', reject);
    socket.bind(port, address, () => resolve('served'));
  });
}

function silenceAfter({ briefly = false }: Extract<AgentRequest, { do: 'ask' }>, end: () => void) {
  return setTimeout(end, briefly ? BRIEF_MILLISECONDS : PATIENT_MILLISECONDS);
}

function ask(request: Extract<AgentRequest, { do: 'ask' }>): Promise<string> {
  return request.protocol === 'tcp' ? askTcp(request) : askUdp(request);
}

function askTcp(request: Extract<AgentRequest, { do: 'ask' }>): Promise<string> {
  const { address, port, from, send = 0, receive = 0 } = request;
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, ...(from === undefined ? {} : { localAddress: from }) });
    let answer = '';
    const timer = silenceAfter(request, () => socket.destroy(new Error('silence')));
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.write(`${send} ${receive}\n`);
      socket.write(Buffer.alloc(send));
    });
    socket.on('data', (bytes) => {
      if (!answer.includes('\n')) answer += bytes.toString('latin1');
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      resolve(error.code ?? error.message);
    });
    socket.once('end', () => resolve(answer.split('\n')[0] ?? ''));
  });
}

function askUdp(request: Extract<AgentRequest, { do: 'ask' }>): Promise<string> {
  const { address, port, from, fromPort = 0 } = request;
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    const finish = (text: string) => {
      clearTimeout(timer);
      socket.close();
      resolve(text);
    };
    const timer = silenceAfter(request, () => finish('silence'));
    socket.once('message', (bytes) => finish(bytes.toString()));
    socket.once('error', (error: NodeJS.ErrnoException) => finish(error.code ?? error.message));
    socket.bind(fromPort, from, () => socket.send('?', port, address));
  });
}

process.on('message', (message: AgentRequest & { readonly id: number }) => {
  const answered = message.do === 'serve' ? serve(message) : ask(message);
  answered.then(
    (text) => process.send?.({ id: message.id, text }),
    (error) => process.send?.({ id: message.id, text: String(error) }),
  );
});
process.on('disconnect', () => process.exit());
process.send?.({ id: 0, text: 'ready' });
