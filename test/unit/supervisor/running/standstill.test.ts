import { existsSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { HostMessage } from '../../../../src/abi/guest.ts';
import { Standstill } from '../../../../src/supervisor/running/standstill.ts';
import { nativeScratch } from '../../../support/native-scratch.ts';

const scratch = nativeScratch();
const before = process.cwd();
beforeEach(() => process.chdir(scratch));
afterEach(() => process.chdir(before));

type Done = (refusal: string | undefined) => void;

/** A machine that does what it is told when the test says so, one order after the other. */
function machine() {
  const orders: { readonly name: string; readonly done: Done }[] = [];
  const sent: HostMessage[] = [];
  const log: string[] = [];
  const standstill = new Standstill(
    {
      pause: (done) => void orders.push({ name: 'pause', done }),
      resume: (done) => void orders.push({ name: 'resume', done }),
    },
    { send: (message) => void sent.push(message) },
    (paused) => log.push(paused ? 'stands still' : 'goes on'),
  );
  const obey = (refusal?: string) => {
    const order = orders.shift();
    order?.done(refusal);
    return order?.name;
  };
  return { standstill, obey, sent, log };
}

test('it is paused when the machine is, and its clock is set when that goes on', () => {
  const { standstill, obey, sent, log } = machine();
  const answers: (string | undefined)[] = [];
  standstill.pause((refusal) => answers.push(refusal));
  expect([standstill.isPaused, existsSync('paused'), answers]).toEqual([false, false, []]);
  obey();
  expect([standstill.isPaused, existsSync('paused'), answers]).toEqual([true, true, [undefined]]);
  expect(sent).toEqual([]);
  standstill.resume((refusal) => answers.push(refusal));
  obey();
  expect([standstill.isPaused, existsSync('paused'), answers.length]).toEqual([false, false, 2]);
  expect(sent).toMatchObject([{ type: 'clock', seconds: expect.any(Number) }]);
  expect(log).toEqual(['stands still', 'goes on']);
});

test('what it is already it becomes no second time', () => {
  const { standstill, obey, sent, log } = machine();
  standstill.resume(() => {});
  obey();
  for (const _ of [1, 2]) {
    standstill.pause(() => {});
    obey();
  }
  expect([sent, log]).toEqual([[], ['stands still']]);
});

test('a machine that refuses stays as it is', () => {
  const { standstill, obey, log } = machine();
  const answers: (string | undefined)[] = [];
  standstill.pause((refusal) => answers.push(refusal));
  obey('no');
  expect([standstill.isPaused, answers, log]).toEqual([false, ['no'], []]);
});

test('what needs a guest that runs waits until it does, also while it is being paused', () => {
  const { standstill, obey } = machine();
  const log: string[] = [];
  standstill.whenRunning(() => log.push('at once'));
  expect(log).toEqual(['at once']);
  standstill.pause(() => log.push('paused'));
  standstill.whenRunning(() => log.push('then'));
  expect([obey(), obey(), obey()]).toEqual(['pause', 'resume', undefined]);
  expect(log).toEqual(['at once', 'paused', 'then']);
  expect(standstill.isPaused).toBe(false);
});
