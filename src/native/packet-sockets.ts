/** Frames of one interface as they are, packet(7): for who has no address yet. */
import { Packer } from './bytes.ts';
import { close, readNow, writeAll } from './files.ts';
import { attempt, call, checked } from './syscall.ts';

const AF_PACKET = 17;
const SOCK_RAW_CLOEXEC_NONBLOCK = 3 | 0o2000000 | 0o4000;
const LARGEST_FRAME = 65536;

export class PacketSocket {
  readonly fd: number;
  readonly #buffer = new Uint8Array(LARGEST_FRAME);

  /** Of the network namespace that the process is in, which it keeps alive. `protocol`: what is received, as 0x0800 for IPv4. */
  constructor(link: number, protocol: number) {
    // None is received before it is known from where.
    this.fd = call('socket', AF_PACKET, SOCK_RAW_CLOEXEC_NONBLOCK, 0);
    const address = new Packer(20).u16(AF_PACKET).u16be(protocol).u32(link).zeros(12).finish();
    try {
      checked('bind', attempt('bind', this.fd, address, address.length));
    } catch (error) {
      close(this.fd);
      throw error;
    }
  }

  /** With the header of the link. */
  send(frame: Uint8Array): void {
    writeAll(this.fd, frame);
  }

  /** Undefined while there is none. */
  receive(): Uint8Array | undefined {
    const length = readNow(this.fd, this.#buffer);
    return length === undefined ? undefined : this.#buffer.slice(0, length);
  }

  [Symbol.dispose](): void {
    close(this.fd);
  }
}
