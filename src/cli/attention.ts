import type { Attention } from '../stage0/host.ts';
import { interruptible } from './interruption.ts';
import { terminalReview } from './key-review.ts';
import { openProgress, type Progress } from './progress.ts';

/** Runs long work on images: its progress is shown, a signal interrupts it, and the terminal is left as it was. */
export async function withAttention<T>(
  debug: boolean,
  work: (attention: Attention, progress: Progress) => Promise<T>,
): Promise<T> {
  using progress = openProgress(debug);
  return await interruptible((signal) => {
    // Whoever interrupts sees it at once, however long the work takes to end.
    signal.addEventListener('abort', () => progress[Symbol.dispose](), { once: true });
    const review = terminalReview({ signal, clear: () => progress.clear() });
    const asking = review === undefined ? {} : { review };
    return work({ report: (event) => progress.report(event), signal, ...asking }, progress);
  });
}
