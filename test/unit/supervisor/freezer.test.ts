import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { Freezer } from '../../../src/supervisor/freezer.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

const scratch = nativeScratch();
let count = 0;
let path = '';
beforeEach(() => {
  path = join(scratch, `group-${count++}`);
  mkdirSync(path);
});

/** What the group is asked for, and a clock that goes when the test says so. */
function freezer(...paths: readonly string[]) {
  const waiting: (() => void)[] = [];
  const loop = {
    after: (_: number, callback: () => void) => {
      waiting.push(callback);
      return { cancel: () => {} };
    },
  };
  const directories = paths.map((path) => ({ controller: 'unified', path }) as const);
  const told: (string | undefined)[] = [];
  return {
    freezer: new Freezer(loop, { directories }),
    told,
    done: (refusal: string | undefined) => void told.push(refusal),
    tick: () => waiting.shift()?.(),
  };
}

describe('a group of v2', () => {
  const is = (frozen: boolean) =>
    writeFileSync(join(path, 'cgroup.events'), `populated 1\nfrozen ${frozen ? 1 : 0}\n`);
  const order = () => readFileSync(join(path, 'cgroup.freeze'), 'utf8');
  beforeEach(() => {
    writeFileSync(join(path, 'cgroup.freeze'), '');
    is(false);
  });

  it('is frozen when all of it has stopped, not before', () => {
    const { freezer: subject, told, done, tick } = freezer(path);
    subject.freeze(done);
    expect(order()).toBe('1');
    tick();
    expect(told).toEqual([]);
    is(true);
    tick();
    expect(told).toEqual([undefined]);
    subject.thaw(done);
    expect(order()[0]).toBe('0');
    is(false);
    tick();
    expect(told).toEqual([undefined, undefined]);
  });
});

describe('a group of v1', () => {
  it('is frozen by the controller of that name, wherever that is among others', () => {
    const other = join(path, 'other');
    mkdirSync(other);
    writeFileSync(join(path, 'freezer.state'), 'THAWED\n');
    const { freezer: subject, told, done } = freezer(other, path);
    subject.freeze(done);
    expect(readFileSync(join(path, 'freezer.state'), 'utf8').trim()).toMatch(/^FROZEN/);
    expect(told).toEqual([undefined]);
  });
});

it('a pod without a group that can be frozen is told so', () => {
  const { freezer: subject, told, done } = freezer(path);
  subject.freeze(done);
  expect(told).toEqual(['the pod has no control group that can be frozen']);
});
