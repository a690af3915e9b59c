import { expect, test } from 'vitest';
import type { HostMessage } from '../../../src/abi/guest.ts';
import { Loop } from '../../../src/native/loop.ts';
import { type GuestAnswer, GuestQuestions } from '../../../src/supervisor/guest-questions.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

nativeScratch();

const GUEST = { uptimeMilliseconds: 5, memoryBytes: 2, memoryAvailableBytes: 1, interfaces: [] };
const APP = {
  ...{ name: 'web', cpuMicroseconds: 1, memoryBytes: 2, memoryPeakBytes: 3, tasks: 1 },
  ...{ readBytes: 0, writtenBytes: 0, bytesOf: 'calls' as const },
};
const apps = (request: number, count = 1) => ({
  ...{ type: 'app-stats' as const, request, apps: Array(count).fill(APP) },
});
const end = (request: number) => ({ type: 'stats' as const, request, ...GUEST });

function questions() {
  const loop = new Loop();
  const sent: HostMessage[] = [];
  const told: (GuestAnswer | undefined)[] = [];
  const asked = new GuestQuestions(loop, (message) => sent.push(message));
  const ask = (milliseconds = 60_000) => asked.ask(milliseconds, (answer) => told.push(answer));
  const wait = (milliseconds: number) => {
    loop.after(milliseconds, () => loop.stop());
    loop.run();
  };
  return { asked, sent, told, ask, wait };
}

test('one question, answered in parts', () => {
  const { asked, sent, told, ask } = questions();
  ask();
  expect(sent).toEqual([{ type: 'stats', request: 1 }]);
  expect([apps(1), apps(1), end(1)].map((message) => asked.take(message))).toEqual([true, true, true]);
  expect(told).toEqual([{ apps: [APP, APP], guest: GUEST }]);
});

test('whoever asks meanwhile gets the same answer; the next question is another', () => {
  const { asked, sent, told, ask } = questions();
  ask();
  ask();
  asked.take(end(1));
  expect(told).toHaveLength(2);
  ask();
  expect(sent).toEqual([
    { type: 'stats', request: 1 },
    { type: 'stats', request: 2 },
  ]);
});

test('one that is not answered in time is given up, and not asked again before it is', () => {
  const { asked, sent, told, ask, wait } = questions();
  ask(5);
  wait(30);
  expect(told).toEqual([undefined]);
  ask();
  expect(sent).toHaveLength(1);
  expect(asked.take(end(1))).toBe(true);
  expect(told).toEqual([undefined, { apps: [], guest: GUEST }]);
});

test('an answer to no question is none', () => {
  const { asked, ask } = questions();
  expect(asked.take(end(0))).toBe(false);
  ask();
  expect(asked.take(apps(2))).toBe(false);
  expect(asked.take(end(1))).toBe(true);
  expect(asked.take(end(1))).toBe(false);
});

test('a guest that does not come to an end is stopped', () => {
  const { asked, ask } = questions();
  ask();
  const all = Array.from({ length: 129 }, () => asked.take(apps(1, 32)));
  expect(all.indexOf(false)).toBe(128);
});

test('when the guest is gone, everybody is told', () => {
  const { asked, told, ask } = questions();
  ask();
  asked.close();
  expect(told).toEqual([undefined]);
});
