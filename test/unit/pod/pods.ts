import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';
import { ensurePodsDirectory } from '../../../src/pod/directory.ts';

/** A data directory of its own for each test of the file; returns where its pods are. */
export function temporaryPods(): () => string {
  let data = '';
  let pods = '';
  beforeEach(() => {
    data = mkdtempSync(join(tmpdir(), 'rkt-pods-'));
    pods = ensurePodsDirectory(data);
  });
  afterEach(() => rmSync(data, { recursive: true, force: true }));
  return () => pods;
}
