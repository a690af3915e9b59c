/** What the supervisor itself has to say: on stderr, and of lasting interest in the pod's directory, too. */
import { POD } from '../abi/pod-directory.ts';
import type { Mark } from '../abi/timeline.ts';
import { Packer } from '../native/bytes.ts';
import { monotonicMilliseconds } from '../native/clock.ts';
import { appendFile } from '../native/contents.ts';
import { utf8Encode } from '../native/engine.ts';
import { unless } from '../native/errors.ts';
import { writeNow } from '../native/files.ts';
import { attempt } from '../native/syscall.ts';
import { isDetached } from './detached.ts';
import { printable } from './printable.ts';
import { Timeline } from './timeline.ts';
import { WarningLimit } from './warning-limit.ts';

const STDERR = 2;
/** What a pipe that takes anything at all takes at once is 4096 bytes. */
const LINE_CHARACTERS = 1000;
/** With --debug a guest's console is among what is said: it is not to fill a disk. */
const DETACHED_CHARACTERS = 256 * 1024;
const GONE = ['EPIPE', 'EBADF', 'EIO', 'ECONNRESET', 'ENXIO', 'ENOSPC'];
/** The pod's directory may be where a guest has just filled the file system. */
const FULL = ['ENOSPC', 'EDQUOT', 'EROFS', 'EIO'];
const POLLOUT = 4;

export class Report {
  readonly #start = monotonicMilliseconds();
  readonly #warnings = new WarningLimit();
  readonly #timeline = new Timeline();
  #said = 0;

  constructor(
    private readonly command: string,
    private readonly verbose: boolean,
  ) {}

  say(message: string): void {
    const line = printable(message).slice(0, LINE_CHARACTERS);
    this.#said += line.length;
    if (this.#said > DETACHED_CHARACTERS && isDetached()) return;
    // If stderr is full or gone there is nobody to tell, and a pod must not wait for it.
    unless(GONE, () => takesMore(STDERR) && writeNow(STDERR, utf8Encode(`${this.command}: ${line}\n`)));
  }

  /** Also kept for whoever looks at the pod later. */
  warn(message: string): void {
    for (const line of this.#warnings.take(message)) {
      this.say(line);
      unless(FULL, () => appendFile(POD.warnings, `${line}\n`, 0o640));
    }
  }

  /** Where the time goes: in the pod's timeline what has a mark, and said with --debug. */
  step(what: string, mark?: Mark): void {
    if (mark !== undefined) this.#timeline.note(mark);
    if (!this.verbose) return;
    this.say(`[${(monotonicMilliseconds() - this.#start).toFixed(1).padStart(8)} ms] ${what}`);
  }
}

/** struct pollfd: fd, events wanted, events found. */
function takesMore(fd: number): boolean {
  const request = new Packer(8).u32(fd).u16(POLLOUT).u16(0).finish();
  const atOnce = new Uint8Array(16);
  attempt('ppoll', request, 1, atOnce, null, 8);
  return ((request[6] ?? 0) & POLLOUT) !== 0;
}
