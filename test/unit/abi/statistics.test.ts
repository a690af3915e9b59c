import { describe, expect, it } from 'vitest';
import { parseControlAnswer } from '../../../src/abi/control.ts';
import { parseGuestMessage } from '../../../src/abi/guest.ts';

const app = {
  ...{ name: 'web', cpuMicroseconds: 1, memoryBytes: 2, memoryPeakBytes: null, tasks: 3 },
  ...{ readBytes: 4, writtenBytes: 5, bytesOf: 'calls' },
};
const card = { name: 'eth0', receivedBytes: 1, receivedPackets: 2, sentBytes: 3, sentPackets: 4 };
const guest = { uptimeMilliseconds: 1, memoryBytes: 2, memoryAvailableBytes: 1, interfaces: [card] };
const group = { cpuMicroseconds: null, memoryBytes: 1, memoryPeakBytes: 2, tasks: 3 };
const qemu = { name: 'qemu', pid: 7, cpuMicroseconds: 1, memoryBytes: 2 };
const pod = { at: 5, phase: 'running', guest, processes: [qemu], appsBeside: false, group };

const appsOf = (change: object) => ({ type: 'app-stats', request: 1, apps: [{ ...app, ...change }] });
const guestOf = (change: object) => ({ type: 'stats', request: 1, ...guest, ...change });

describe('what a guest tells of its use', () => {
  it.each([appsOf({}), guestOf({}), guestOf({ interfaces: [] })])('is taken: %j', (message) => {
    expect(parseGuestMessage(message)).toEqual(message);
  });

  it('may leave out what its kernel does not know', () => {
    const { cpuMicroseconds: _, ...less } = app;
    const message = { type: 'app-stats', request: 1, apps: [less] };
    expect(parseGuestMessage(message)).toMatchObject({ apps: [{ cpuMicroseconds: null }] });
  });

  it.each([
    [appsOf({ name: 'Web\u001b[2J' }), 'is no name of an app'],
    [appsOf({ name: 'a'.repeat(600) }), 'a string of at most 512'],
    [appsOf({ cpuMicroseconds: -1 }), 'an integer from 0'],
    [appsOf({ memoryBytes: 2 ** 60 }), 'an integer from 0'],
    [appsOf({ readBytes: '1' }), 'an integer from 0'],
    [appsOf({ bytesOf: 'pipes' }), 'one of devices, calls'],
    [{ type: 'app-stats', request: 1, apps: Array(33).fill(app) }, 'a list of at most 32'],
    [guestOf({ uptimeMilliseconds: 0.5 }), 'an integer from 0'],
    [guestOf({ interfaces: [{ ...card, name: 'a\nb' }] }), 'is no name of an interface'],
    [guestOf({ interfaces: Array(65).fill(card) }), 'a list of at most 64'],
    [guestOf({ interfaces: undefined }), 'a list of at most 64'],
  ])('is refused: %j', (message, reason) => {
    expect(() => parseGuestMessage(message)).toThrow(reason);
  });
});

describe('what a supervisor answers', () => {
  it.each([
    { type: 'app-stats', apps: [app] },
    { type: 'stats', ...pod },
    { type: 'stats', ...pod, phase: 'paused', guest: null, group: null, processes: [] },
  ])('%j', (answer) => {
    expect(parseControlAnswer(answer)).toEqual(answer);
  });

  it('is refused when it is none', () => {
    expect(() => parseControlAnswer({ type: 'stats', ...pod, processes: [{}] })).toThrow('processes[0].name');
  });
});
