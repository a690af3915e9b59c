import { describe, expect, it } from 'vitest';
import { close } from '../../../src/native/files.ts';
import { openPipe } from '../../../src/native/pipes.ts';
import { socketPair } from '../../../src/native/sockets.ts';
import {
  hear,
  type Offer,
  readAnswer,
  readNews,
  readOffer,
  say,
  tell,
} from '../../../stage1-kvm/spare-protocol.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

nativeScratch();

const offer: Offer = {
  ...{ type: 'offer', facts: ['cpu x', 'disks read scratch'], pid: 4711, id: 4294967292 },
  ...{ interfaces: 2, taps: 2, vhosts: 0 },
};
const packet = (message: unknown) => ({
  bytes: Buffer.from(JSON.stringify(message)),
  fds: [],
  truncated: false,
});

describe('what keeper and supervisor say', () => {
  it.each([
    [offer, readOffer],
    [{ type: 'take', groups: ['/sys/fs/cgroup/pod/cgroup.procs'] }, readAnswer],
    [{ type: 'take', groups: [] }, readAnswer],
    [{ type: 'end' }, readAnswer],
    [{ type: 'taken', problem: null }, readNews],
    [{ type: 'taken', problem: 'the tap rkt-tap0 has gone' }, readNews],
    [{ type: 'ended', exit: { kind: 'exited', code: 0 } }, readNews],
    [{ type: 'ended', exit: { kind: 'signalled', signal: 9, dumped: false } }, readNews],
  ] as const)('is read as it was said: %j', (message, read) => {
    expect(read(packet(message))).toEqual(message);
  });

  it.each([
    ['type', 'take'],
    ['facts', 'cpu x'],
    ['facts', ['cpu x', 1]],
    ['facts', ['cpu\0x']],
    ['pid', 1],
    ['pid', '4711'],
    ['id', 0],
    ['id', 2 ** 32 + 1],
    ['interfaces', -1],
    ['interfaces', 251],
    ['taps', 1.5],
    ['vhosts', null],
  ])('names what is wrong with an offer: %s %j', (field, value) => {
    expect(() => readOffer(packet({ ...offer, [field]: value }))).toThrow(`offer.${field}`);
  });

  it.each([
    [readAnswer, { type: 'taken' }, 'answer.type: expected one of take, end'],
    [readAnswer, { type: 'take' }, 'answer.groups'],
    [readNews, offer, 'news.type: expected one of taken, ended'],
    [readNews, { type: 'taken', problem: 1 }, 'news.problem'],
    [readNews, { type: 'ended' }, 'news.exit'],
    [readNews, { type: 'ended', exit: { kind: 'signalled', signal: 65, dumped: false } }, 'news.exit.signal'],
    [readNews, { type: 'ended', exit: { kind: 'exited', code: 256 } }, 'news.exit.code'],
  ])('is refused where it is none: %#', (read, message, problem) => {
    expect(() => read(packet(message))).toThrow(problem);
  });
});

describe('a connection of both', () => {
  it('carries files with words', () => {
    const [keeper, taker] = socketPair('seqpacket');
    const { read, write } = openPipe();
    say(keeper, offer, [read, write]);
    const received = hear(taker, 1000);
    expect(received?.fds).toHaveLength(2);
    expect(received && readOffer(received)).toEqual(offer);
    for (const fd of [keeper, taker, read, write, ...(received?.fds ?? [])]) close(fd);
  });

  it('says nothing where nobody has said anything', () => {
    const [keeper, taker] = socketPair('seqpacket');
    expect(hear(taker, 0)).toBeUndefined();
    for (const fd of [keeper, taker]) close(fd);
  });

  it.each(['read', 'unread'])('is over when the other has gone, what it was told %s', (how) => {
    const [keeper, taker] = socketPair('seqpacket');
    expect(tell(taker, { type: 'end' })).toBe(true);
    if (how === 'read') expect(hear(keeper, 0)).toBeDefined();
    close(keeper);
    expect(hear(taker, 1000)).toBeUndefined();
    expect(tell(taker, { type: 'end' })).toBe(false);
    expect(() => say(taker, { type: 'end' })).toThrow('EPIPE');
    close(taker);
  });
});
