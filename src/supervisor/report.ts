/** What the supervisor itself has to say: on stderr, and of lasting interest in the pod's directory, too. */
import { POD } from '../abi/pod-directory.ts';
import { monotonicMilliseconds } from '../native/clock.ts';
import { appendFile } from '../native/contents.ts';
import { utf8Encode } from '../native/engine.ts';
import { writeNow } from '../native/files.ts';
import { printable } from './printable.ts';

const STDERR = 2;

export class Report {
  readonly #start = monotonicMilliseconds();

  constructor(
    private readonly command: string,
    private readonly verbose: boolean,
  ) {}

  say(message: string): void {
    // If stderr is full or gone there is nobody to tell.
    try {
      writeNow(STDERR, utf8Encode(`${this.command}: ${printable(message)}\n`));
    } catch {}
  }

  /** Also kept for whoever looks at the pod later. */
  warn(message: string): void {
    this.say(message);
    appendFile(POD.warnings, `${printable(message)}\n`, 0o640);
  }

  /** Where the time goes, with --debug. */
  step(what: string): void {
    if (!this.verbose) return;
    this.say(`[${(monotonicMilliseconds() - this.#start).toFixed(1).padStart(8)} ms] ${what}`);
  }
}
