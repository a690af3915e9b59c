import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';

/** A directory of each test's own, gone after it: where a path in it is, and how a file gets there. */
export function useScratchTree() {
  let root = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'rkt-tree-'));
  });
  afterEach(() => rmSync(root, { recursive: true }));
  const at = (...parts: string[]) => join(root, ...parts);
  const put = (path: string, text: string): void => {
    mkdirSync(dirname(at(path)), { recursive: true });
    writeFileSync(at(path), text);
  };
  return { at, put };
}
