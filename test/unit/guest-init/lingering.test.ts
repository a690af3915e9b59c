import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { Lingering } from '../../../guest-init/lingering.ts';
import type { Loop } from '../../../src/native/loop.ts';
import { openPipe } from '../../../src/native/pipes.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

const scratch = nativeScratch();

/** A loop in which nothing happens until it is said. */
function idle() {
  const later: (() => void)[] = [];
  const after = (_: number, action: () => void) => {
    later.push(action);
    return { cancel() {} };
  };
  const pass = () => {
    for (const action of later.splice(0)) action();
  };
  return { lingering: new Lingering({ after } as Pick<Loop, 'after'>), later, pass };
}

const isOpen = (fd: number) => existsSync(`/proc/self/fd/${fd}`);
const share = (name: string) => ({ tag: 'pod', target: join(scratch, name) });

it('keeps a namespace until its server has had the time to answer', () => {
  const { lingering, pass } = idle();
  const { read, write } = openPipe();
  mkdirSync(share('pod').target);
  lingering.keep(read, [share('pod')]);
  expect(isOpen(read)).toBe(true);
  pass();
  expect(isOpen(read)).toBe(false);
  // A server that is not there any more keeps nothing.
  lingering.keep(write, [share('gone')]);
  pass();
  expect(isOpen(write)).toBe(false);
});

it('keeps none where nobody serves files', () => {
  const { lingering, later } = idle();
  const { read, write } = openPipe();
  for (const fd of [read, write]) {
    lingering.keep(fd, []);
    expect(isOpen(fd)).toBe(false);
  }
  expect(later).toEqual([]);
});

it('removes the directory of a root that has been emptied, and lets go of it later', () => {
  const { lingering, pass, later } = idle();
  const pod = share('share');
  const root = { kind: 'virtiofs', tag: 'pod', path: 'web/rootfs' } as const;
  mkdirSync(join(pod.target, 'web'), { recursive: true });
  lingering.forgetRoot(root, [pod]);
  expect(existsSync(join(pod.target, 'web'))).toBe(false);
  expect(later).toHaveLength(1);
  pass();
  // Of what has gone already there is nothing to hold; what is not empty stays.
  lingering.forgetRoot(root, [pod]);
  mkdirSync(join(pod.target, 'web/rootfs'), { recursive: true });
  lingering.forgetRoot(root, [pod]);
  pass();
  expect(existsSync(join(pod.target, 'web/rootfs'))).toBe(true);
});
