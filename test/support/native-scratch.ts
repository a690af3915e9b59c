import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { useEngine } from '../../src/native/engine.ts';
import { koffiEngine } from './koffi-syscall.ts';

/** Real system calls for the test file that calls this, and a directory that goes when the file is done. */
export function nativeScratch(): string {
  useEngine(koffiEngine);
  const directory = mkdtempSync(join(tmpdir(), 'rkt-native-'));
  afterAll(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}
