import { monotonicMilliseconds, sleep } from '../../../src/native/clock.ts';
import { exit } from '../../../src/native/engine.ts';
import { close, read } from '../../../src/native/files.ts';
import { openPipe } from '../../../src/native/pipes.ts';
import { fork, kill, waitFor } from '../../../src/native/processes.ts';

/**
 * Whether what `begin` leaves running dies with the process that has called it, which is killed once something has been written to the pipe: then
 * nobody holds its other end.
 */
export function diesWithItsParent(begin: (pipe: number) => void): boolean {
  const pipe = openPipe();
  const middle = fork();
  if (middle === 0) {
    begin(pipe.write);
    sleep(60_000);
    exit(0);
  }
  close(pipe.write);
  const text = new Uint8Array(100);
  const started = read(pipe.read, text) > 0;
  const killed = monotonicMilliseconds();
  kill(middle, 'SIGKILL');
  waitFor(middle);
  const gone = read(pipe.read, text) === 0 && monotonicMilliseconds() - killed < 30_000;
  close(pipe.read);
  return started && gone;
}
