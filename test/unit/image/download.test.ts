import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { receive } from '../../../src/image/download.ts';
import { ImageError } from '../../../src/image/error.ts';
import { GrowingFile } from '../../../src/image/growing-file.ts';
import type { RemoteBytes } from '../../../src/image/source.ts';

// The pauses between attempts are seconds.
vi.mock('node:timers/promises', () => ({ setTimeout: async () => undefined }));

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'rkt-download-'));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
});

/** Sends a piece of that size with each connection, which then breaks off. */
function breakingAfter(size: number, total: number) {
  const opened: number[] = [];
  const remote: RemoteBytes = {
    open: async (offset) => {
      opened.push(offset);
      async function* bytes() {
        yield new Uint8Array(Math.min(size, total - offset));
        if (offset + size < total) throw new ImageError('network', 'the connection broke off');
      }
      return { bytes: bytes(), offset, total };
    },
  };
  return { remote, opened };
}

async function fetchAll(remote: RemoteBytes, size: number): Promise<void> {
  using file = new GrowingFile(join(directory, 'blob'), 'sha256', 'restart');
  await receive(remote, file, { what: 'blob', size, changed: 'same', progress: () => undefined }, {});
}

test('who sends a byte with each connection is not asked for ever', async () => {
  const { remote, opened } = breakingAfter(1, 1000);
  await expect(fetchAll(remote, 1000)).rejects.toMatchObject({ code: 'network' });
  expect(opened).toEqual([0, 1, 2, 3, 4]);
});

test('who gets on with each connection is asked until all is there', async () => {
  const size = 64 * 1024;
  const { remote, opened } = breakingAfter(size, 12 * size);
  await fetchAll(remote, 12 * size);
  expect(opened).toHaveLength(12);
});
