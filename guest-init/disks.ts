/** Disks of the machine, which know themselves who they are. */
import { sleep } from '../src/native/clock.ts';
import { readTextIfPresent } from '../src/native/contents.ts';
import { readdir } from '../src/native/directories.ts';
import { InitError } from './error.ts';

const BLOCK_DEVICES = '/sys/block';
const MOST_WAITS = 200;
const WAIT_MILLISECONDS = 5;

/** Device files by serial number. To read one is to ask the disk. */
const found = new Map<string, string>();
const asked = new Set<string>();

/** The kernel names disks in the order in which it finds them. @throws InitError for one that does not come */
export function diskOf(serial: string): string {
  for (let waits = 0; waits < MOST_WAITS; waits++) {
    askAll();
    const path = found.get(serial);
    if (path !== undefined) return path;
    sleep(WAIT_MILLISECONDS);
  }
  throw new InitError('volumes', `no disk ${serial}`);
}

/** Others have come in their places. */
export function forgetDisks(): void {
  found.clear();
  asked.clear();
}

function askAll(): void {
  for (const name of readdir(BLOCK_DEVICES).filter((candidate) => !asked.has(candidate))) {
    const serial = readTextIfPresent(`${BLOCK_DEVICES}/${name}/serial`)?.trim();
    // It may be on its way.
    if (serial === undefined) continue;
    asked.add(name);
    found.set(serial, `/dev/${name}`);
  }
}
