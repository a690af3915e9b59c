import { POD } from '../abi/pod-directory.ts';
import { formatMark, type Mark } from '../abi/timeline.ts';
import { realtime } from '../native/clock.ts';
import { appendFile } from '../native/contents.ts';
import { unless } from '../native/errors.ts';

/** The pod's directory may be where a guest has just filled the file system. */
const FULL = ['ENOSPC', 'EDQUOT'];

/** Notes in the pod's directory what its start passes. Not forced to the disk: nothing depends on it. */
export class Timeline {
  #isReady = false;

  /** What comes after the start is noted of the pod's end only: apps may be started again for ever. */
  note(mark: Mark): void {
    if (this.#isReady && mark.name !== 'ended') return;
    this.#isReady ||= mark.name === 'ready';
    const { seconds, nanoseconds } = realtime();
    unless(FULL, () => appendFile(POD.timeline, formatMark(mark, seconds, nanoseconds), 0o640));
  }
}
