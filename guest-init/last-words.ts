import type { Loop } from '../src/native/loop.ts';
import { printError } from '../src/native/uncaught.ts';
import { messageOf } from './error.ts';
import type { HostChannel } from './host-channel.ts';

/** What the host gets to read the last message and answer with the machine's end. */
const PATIENCE_MS = 1000;

/** PID 1 cannot go on: the stack goes to the console, the message to the host. Returns when PID 1 should leave. */
export function die(error: unknown, host: HostChannel, loop: Loop): void {
  printError(error);
  host.send({ type: 'fatal', message: messageOf(error) });
  loop.after(PATIENCE_MS, () => loop.stop());
  loop.run();
}
