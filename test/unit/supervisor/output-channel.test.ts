import { describe, expect, it } from 'vitest';
import { HandedOutputs } from '../../../guest-init/handed-outputs.ts';
import { close, readNow, writeNow } from '../../../src/native/files.ts';
import { socketPair } from '../../../src/native/sockets.ts';
import { OutputChannel } from '../../../src/supervisor/output-channel.ts';

function connected() {
  const [ours, theirs] = socketPair('seqpacket', { nonBlocking: true });
  return { channel: new OutputChannel(ours, 0), theirs, guest: new HandedOutputs(theirs) };
}

/** Undefined: nothing has come yet; empty: nothing will. */
function readText(fd: number): string | undefined {
  const buffer = Buffer.alloc(100);
  const count = readNow(fd, buffer);
  return count === undefined ? undefined : buffer.toString('utf8', 0, count);
}

describe('OutputChannel', () => {
  it('hands each app pipes of its own, which end with who has got them', () => {
    const { channel, guest } = connected();
    const [first, second] = [channel.hand(1), channel.hand(3)];
    if (first === undefined || second === undefined) throw new Error('not taken');
    const [stdout, stderr] = guest.take(1);
    const others = guest.take(3);
    writeNow(stdout, Buffer.from('out'));
    writeNow(stderr, Buffer.from('err'));
    expect([readText(first.stdout), readText(first.stderr)]).toEqual(['out', 'err']);
    expect([readText(first.stdout), readText(second.stdout)]).toEqual([undefined, undefined]);
    close(stdout);
    expect([readText(first.stdout), readText(first.stderr)]).toEqual(['', undefined]);
    for (const fd of [stderr, ...others]) close(fd);
    expect(readText(second.stderr)).toBe('');
  });

  it('lets the pipes of an app end that never came', () => {
    const { channel, guest } = connected();
    const never = channel.hand(1);
    channel.hand(3);
    guest.drop(3);
    expect(never && readText(never.stdout)).toBe('');
    expect(() => guest.take(5)).toThrow('no outputs have come for stream 5');
  });

  it('does not take one app for another', () => {
    const { channel, guest } = connected();
    channel.hand(3);
    expect(() => guest.take(1)).toThrow('outputs have come for stream 3, not 1');
  });

  it('hands nothing to one that takes no more, or is gone', () => {
    const { channel, theirs } = connected();
    let count = 0;
    while (count < 10_000 && channel.hand(count) !== undefined) count++;
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThan(10_000);
    close(theirs);
    expect(channel.hand(count)).toBeUndefined();
    channel.close();
    expect(channel.hand(count)).toBeUndefined();
  });
});
