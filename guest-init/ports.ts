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
  const control = await_(deadline, CONTROL_PORT, () => findPort(CONTROL_PORT));
  const data = await_(deadline, DATA_PORT, () => findPort(DATA_PORT));
  const channels = { control: openPort(control), data: openPort(data) };
  await_(deadline, CONTROL_PORT, () => isConnected(channels.control) || undefined);
  await_(deadline, DATA_PORT, () => isConnected(channels.data) || undefined);
  return channels;
}

/** Polls: there is nothing else to do before the host can be heard, and it is there at the first try as a rule. */
function await_<T>(deadline: number, port: string, look: () => T | undefined): T {
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    if (monotonicMilliseconds() > deadline) throw new InitError('channels', `no virtio port ${port}`);
    sleep(PAUSE_MS);
  }
}

/** The device's name, `vport0p1`, of the port that the host calls `name`. */
function findPort(name: string): string | undefined {
  try {
    return readdir(PORTS).find((device) => readText(`${PORTS}/${device}/name`).trim() === name);
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
