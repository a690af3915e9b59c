/** The virtio-serial ports that lead to the host. */
import { CONTROL_PORT, DATA_PORT } from '../src/abi/guest.ts';
import { Packer, Unpacker } from '../src/native/bytes.ts';
import { monotonicMilliseconds, sleep } from '../src/native/clock.ts';
import { readText } from '../src/native/contents.ts';
import { readdir } from '../src/native/directories.ts';
import { hasCode } from '../src/native/errors.ts';
import { open, open_ } from '../src/native/files.ts';
import { attempt } from '../src/native/syscall.ts';
import { InitError } from './error.ts';
import type { Channels } from './ground.ts';

const PORTS = '/sys/class/virtio-ports';
/** Far more than a host under load needs between starting the machine and connecting its ports. */
const PATIENCE_MS = 60_000;
const PAUSE_MS = 0.5;

/**
 * Opens both ports. The kernel learns of ports, of their names and of the host's being connected by messages that
 * may still be under way when PID 1 starts; until the last has come, reading a port looks like its end.
 */
export function openPorts(): Channels {
  const deadline = monotonicMilliseconds() + PATIENCE_MS;
  const devices = waitFor(deadline, findPorts);
  const channels = { control: openPort(devices.control), data: openPort(devices.data) };
  waitFor(deadline, () => (isConnected(channels.control) && isConnected(channels.data)) || undefined);
  return channels;
}

/** Polls: there is nothing else to do before the host can be heard, and it is there at the first try as a rule. */
function waitFor<T>(deadline: number, look: () => T | undefined): T {
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    if (monotonicMilliseconds() > deadline)
      throw new InitError(
        'channels',
        `no virtio ports ${CONTROL_PORT} and ${DATA_PORT}, or no host behind them`,
      );
    sleep(PAUSE_MS);
  }
}

/** The devices' names, such as `vport0p1`. */
interface Ports {
  readonly control: string;
  readonly data: string;
}

function findPorts(): Ports | undefined {
  try {
    const devices = new Map(
      readdir(PORTS).map((device) => [readText(`${PORTS}/${device}/name`, 256).trim(), device]),
    );
    const [control, data] = [devices.get(CONTROL_PORT), devices.get(DATA_PORT)];
    return control === undefined || data === undefined ? undefined : { control, data };
  } catch (error) {
    // No driver yet, or a port without its name yet.
    if (hasCode(error, 'ENOENT', 'ENODEV')) return undefined;
    throw error;
  }
}

function openPort(device: string): number {
  return open(`/dev/${device}`, open_.readWrite | open_.nonBlocking);
}

const POLLOUT = 4;
const POLLHUP = 16;

/** struct pollfd: fd, events wanted, events found. */
function isConnected(fd: number): boolean {
  const request = new Packer(8).u32(fd).u16(POLLOUT).u16(0).finish();
  const now = new Packer(16).u64(0).u64(0).finish();
  attempt('ppoll', request, 1, now, null, 8);
  return (new Unpacker(request, 6).u16() & POLLHUP) === 0;
}
