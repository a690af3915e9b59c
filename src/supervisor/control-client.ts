/** The command's side of the socket `ctl`. */
import {
  CONTROL_MESSAGE_MAX_BYTES,
  type ControlAnswer,
  type ControlRequest,
  parseControlAnswer,
} from '../abi/control.ts';
import { AbiError } from '../abi/json.ts';
import { POD } from '../abi/pod-directory.ts';
import { utf8Decode, utf8Encode } from '../native/engine.ts';
import { hasCode } from '../native/errors.ts';
import { close } from '../native/files.ts';
import { receive, send } from '../native/messages.ts';
import { connectTo } from '../native/sockets.ts';
import { SupervisorError } from './error.ts';

export class ControlClient {
  readonly fd: number;

  private constructor(fd: number) {
    this.fd = fd;
  }

  /** In the pod's directory. @throws SupervisorError `no-supervisor` */
  static connect(): ControlClient {
    try {
      return new ControlClient(connectTo('seqpacket', { kind: 'path', path: POD.control }));
    } catch (cause) {
      if (!hasCode(cause, 'ENOENT', 'ECONNREFUSED')) throw cause;
      throw new SupervisorError('no-supervisor', 'the pod is not running', { cause });
    }
  }

  send(request: ControlRequest, fds: readonly number[] = []): void {
    send(this.fd, utf8Encode(JSON.stringify(request)), fds);
  }

  /** The next answer; undefined when the supervisor has hung up. @throws SupervisorError `no-supervisor` for rubbish */
  receive(): ControlAnswer | undefined {
    try {
      const received = receive(this.fd, CONTROL_MESSAGE_MAX_BYTES);
      if (received === undefined || received.bytes.length === 0) return undefined;
      return parseControlAnswer(JSON.parse(utf8Decode(received.bytes)));
    } catch (cause) {
      if (hasCode(cause, 'ECONNRESET')) return undefined;
      if (!(cause instanceof AbiError || cause instanceof SyntaxError)) throw cause;
      throw new SupervisorError('no-supervisor', `the supervisor's answer: ${cause.message}`, { cause });
    }
  }

  [Symbol.dispose](): void {
    close(this.fd);
  }
}
