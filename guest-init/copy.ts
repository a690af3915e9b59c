/** What an exec session does that copies files instead of running a program: an app's image need not have any for it. */
import { ARCHIVE_FORMAT } from '../src/abi/archive-format.ts';
import type { CopyPlan } from '../src/abi/copy-plan.ts';
import { EXIT } from '../src/abi/exit-code.ts';
import { exit, utf8Encode } from '../src/native/engine.ts';
import { writeAll } from '../src/native/files.ts';
import { closeFrom } from '../src/native/processes.ts';
import { receiveTree, sendTree } from '../src/native/tree-copy.ts';
import { messageOf } from './error.ts';

const STDERR = 2;
const FIRST_FREE_FD = 3;

/**
 * In the app's root, with its streams, and root's rights: files keep their owners. Nothing of PID 1's stays open, which an exec would
 * have closed, its side of these streams among it.
 */
export function copyFiles(plan: CopyPlan): never {
  alone(() => {
    if (plan.direction === 'in') receiveTree(ARCHIVE_FORMAT, plan);
    else sendTree(ARCHIVE_FORMAT, plan, { layer: false, reservesNames: false }, say);
  });
}

/** Likewise, of an upper directory, which is its root. */
export function archiveChanges(): never {
  const rules = { layer: true, reservesNames: true };
  alone(() => sendTree(ARCHIVE_FORMAT, { path: '/', name: '' }, rules, say));
}

function alone(work: () => void): never {
  closeFrom(FIRST_FREE_FD);
  try {
    work();
  } catch (error) {
    say(messageOf(error));
    exit(EXIT.failure);
  }
  exit(EXIT.ok);
}

function say(line: string): void {
  writeAll(STDERR, utf8Encode(`${line}\n`));
}
