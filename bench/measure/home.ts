import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootDir } from '../../tools/paths.ts';
import { timed } from './timed.ts';

/** An rkt on directories of its own, removed at the end. */
export class BenchHome {
  readonly root = mkdtempSync(join(tmpdir(), 'rkt-bench-'));
  readonly dataDirectory = join(this.root, 'data');
  readonly localConfig = join(this.root, 'etc');

  argv(args: readonly string[]): string[] {
    const [local, system] = [this.localConfig, join(this.root, 'lib')];
    for (const path of [local, system]) mkdirSync(path, { recursive: true });
    const flags = [`--dir=${this.dataDirectory}`, `--local-config=${local}`, `--system-config=${system}`];
    return [join(rootDir, 'bin', 'rkt'), ...flags, '--insecure-options=image', ...args];
  }

  async close(): Promise<void> {
    await timed(this.argv(['gc', '--grace-period=0s']));
    rmSync(this.root, { recursive: true, force: true });
  }
}
