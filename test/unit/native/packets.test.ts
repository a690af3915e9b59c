import { describe, expect, it } from 'vitest';
import { setNonBlocking } from '../../../src/native/descriptors.ts';
import { close, writeAll } from '../../../src/native/files.ts';
import { Loop } from '../../../src/native/loop.ts';
import { PacketChannel } from '../../../src/native/packets.ts';
import { socketPair } from '../../../src/native/sockets.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

nativeScratch();

const limits = { receiveBytes: 1000, queueBytes: 500_000 };

function channel() {
  const loop = new Loop();
  const [fd, peer] = socketPair('stream');
  setNonBlocking(fd, true);
  const texts: string[] = [];
  const problems: string[] = [];
  const packets = new PacketChannel(loop, fd, limits, {
    text: (text) => texts.push(text),
    broken: ({ message }) => problems.push(message),
  });
  loop.after(100, () => loop.stop());
  return { loop, peer, texts, problems, packets };
}

function packet(text: string): Buffer {
  const body = Buffer.from(text);
  const header = Buffer.alloc(4);
  header.writeUInt32LE(body.length);
  return Buffer.concat([header, body]);
}

describe('PacketChannel', () => {
  it('takes texts however they are cut', () => {
    const { loop, peer, texts, problems } = channel();
    const bytes = Buffer.concat([packet('{"a":1}'), packet('ü'), packet('')]);
    bytes.forEach((_, at) => {
      loop.after(at, () => writeAll(peer, bytes.subarray(at, at + 1)));
    });
    loop.run();
    expect(texts).toEqual(['{"a":1}', 'ü', '']);
    expect(problems).toEqual([]);
  });

  it('talks to its like', () => {
    const loop = new Loop();
    const [a, b] = socketPair('stream', { nonBlocking: true });
    const texts: string[] = [];
    const events = { text: (text: string) => texts.push(text), broken: () => {} };
    const roomy = { receiveBytes: 1_000_000, queueBytes: 1_000_000 };
    const sender = new PacketChannel(loop, a, roomy, events);
    new PacketChannel(loop, b, roomy, events);
    sender.send('x'.repeat(900_000));
    expect(sender.sent).toBe(false);
    loop.after(200, () => loop.stop());
    loop.run();
    expect(texts.map((text) => text.length)).toEqual([900_000]);
    expect(sender.sent).toBe(true);
  });

  it('refuses a text that is too long before it has come', () => {
    const { loop, peer, problems } = channel();
    writeAll(peer, Buffer.from([0xe9, 3, 0, 0]));
    loop.run();
    expect(problems).toEqual(['a text of 1001 bytes, at most 1000 are taken']);
  });

  it('gives up on a peer that does not read', () => {
    const { packets, problems } = channel();
    for (let n = 0; n < 20; n++) packets.send('x'.repeat(100_000));
    expect(problems).toEqual([expect.stringMatching(/leaves \d+ bytes unread/)]);
  });

  it('delivers what was said before a hang-up', () => {
    const { loop, peer, texts, problems } = channel();
    writeAll(peer, packet('last'));
    close(peer);
    loop.run();
    expect(texts).toEqual(['last']);
    expect(problems).toEqual(['the channel was closed']);
  });
});
