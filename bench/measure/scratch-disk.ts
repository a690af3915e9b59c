import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { timed } from './timed.ts';

const SIZE = 6 * 1024 ** 3;

/**
 * A file system for what is measured, made anew for each run: ext4 takes inodes that were freed a moment ago only after a search
 * that costs more than all else, and what was not written yet would be written in the time of the next.
 */
export class ScratchDisk {
  readonly directory: string;
  readonly #base = mkdtempSync(join(tmpdir(), 'rkt-bench-disk-'));
  readonly #image = join(this.#base, 'image');
  #isMounted = false;

  constructor() {
    this.directory = join(this.#base, 'disk');
    mkdirSync(this.directory);
  }

  /** Takes all that is on it away. */
  async renew(): Promise<void> {
    await this.#unmount();
    rmSync(this.#image, { force: true });
    writeFileSync(this.#image, '');
    truncateSync(this.#image, SIZE);
    // Its tables are written now, not in the background.
    const options = ['-q', '-E', 'lazy_itable_init=0,lazy_journal_init=0', '-N', '200000'];
    await timed(['mkfs.ext4', ...options, this.#image]);
    await timed(['sync', '-f', this.#image]);
    await timed(['mount', '-o', 'loop', this.#image, this.directory]);
    this.#isMounted = true;
  }

  async close(): Promise<void> {
    await this.#unmount();
    rmSync(this.#base, { recursive: true });
  }

  async #unmount(): Promise<void> {
    if (this.#isMounted) await timed(['umount', '--recursive', this.directory]);
    this.#isMounted = false;
  }
}
