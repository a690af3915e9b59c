import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { setNonBlocking } from '../../../src/native/descriptors.ts';
import { unless } from '../../../src/native/errors.ts';
import { close, open, open_, read, readNow, writeAll, writeNow } from '../../../src/native/files.ts';
import type { FrameCodec } from '../../../src/native/frame-codec.ts';
import { FrameSink } from '../../../src/native/frame-sink.ts';
import { Loop } from '../../../src/native/loop.ts';
import { Mux } from '../../../src/native/mux.ts';
import { openPipe, type Pipe } from '../../../src/native/pipes.ts';
import { socketPair } from '../../../src/native/sockets.ts';
import { nativeScratch } from '../../support/native-scratch.ts';
import { processorTime } from '../../support/processor-time.ts';

const scratch = nativeScratch();

const codec: FrameCodec = {
  headerBytes: 8,
  maxFrameBytes: 65536,
  windowBytes: 262144,
  encode({ stream, length }, into) {
    into.setUint32(0, stream, true);
    into.setUint32(4, length, true);
  },
  decode(from) {
    const length = from.getUint32(4, true);
    return length > 65536 ? undefined : { stream: from.getUint32(0, true), length };
  },
};

/** Two muxes, each the other's peer; credit travels outside of the channel. */
class Pair {
  readonly loop = new Loop();
  readonly ended: number[] = [];
  readonly problems: string[] = [];
  readonly near: Mux;
  readonly far: Mux;
  granted = 0;

  constructor() {
    const [a, b] = socketPair('stream', { nonBlocking: true });
    this.near = new Mux(
      this.loop,
      a,
      codec,
      this.#events(() => this.far),
    );
    this.far = new Mux(
      this.loop,
      b,
      codec,
      this.#events(() => this.near),
    );
  }

  #events(peer: () => Mux) {
    return {
      credit: (stream: number, bytes: number) => {
        this.granted += bytes;
        peer().grant(stream, bytes);
      },
      sinkEnded: (stream: number) => this.ended.push(stream),
      broken: (problem: Error) => this.problems.push(problem.message),
    };
  }

  /** Serves both until `done`, or gives up. */
  until(done: () => boolean): void {
    const poll = () => {
      if (done()) this.loop.stop(0);
      else this.loop.after(1, poll);
    };
    poll();
    this.loop.after(5000, () => this.loop.stop(1));
    expect(this.loop.run()).toBe(0);
  }
}

let pair: Pair;
beforeEach(() => {
  pair = new Pair();
});
afterEach(() => {
  pair.near.close();
  pair.far.close();
});

function pattern(length: number, seed: number): Uint8Array {
  return Uint8Array.from({ length }, (_, index) => (index * 31 + seed + (index >> 8)) & 0xff);
}

/** Writes everything into a non-blocking fd as there is room, then closes it. */
function feed(loop: Loop, fd: number, bytes: Uint8Array): void {
  let at = 0;
  setNonBlocking(fd, true);
  const watch = loop.watch(fd, {
    writable: () => {
      const written = unless(['EPIPE'], () => writeNow(fd, bytes.subarray(at, at + 50_000)) ?? 0);
      at = written === undefined ? bytes.length : at + written;
      if (at < bytes.length) return;
      watch.close();
      close(fd);
    },
  });
}

/** Collects what comes out of a fd, up to its end. */
function collect(loop: Loop, fd: number): { bytes: Buffer; ended: boolean } {
  const result = { bytes: Buffer.alloc(0), ended: false };
  setNonBlocking(fd, true);
  const chunk = new Uint8Array(65536);
  const watch = loop.watch(fd, {
    readable: () => {
      const length = readNow(fd, chunk);
      if (length === undefined) return;
      result.bytes = Buffer.concat([result.bytes, chunk.subarray(0, length)]);
      result.ended = length === 0;
      if (result.ended) watch.close();
    },
  });
  return result;
}

/** A stream from `near` to `far` with a pipe at each end. */
function join2(stream: number): { source: Pipe; sink: Pipe } {
  const [source, sink] = [openPipe(), openPipe()];
  pair.far.addSink(stream, sink.write);
  pair.near.addSource(stream, source.read);
  return { source, sink };
}

describe('Mux', () => {
  it('carries streams whole and apart, and ends them', () => {
    const streams = [1, 2].map((stream) => ({ ...join2(stream), sent: pattern(1_000_003, stream) }));
    const received = streams.map(({ source, sink, sent }) => {
      feed(pair.loop, source.write, sent);
      return collect(pair.loop, sink.read);
    });
    pair.until(() => received.every(({ ended }) => ended));
    streams.forEach(({ sent }, index) => {
      expect(received[index]?.bytes.equals(sent)).toBe(true);
    });
    expect(pair.ended.sort()).toEqual([1, 2]);
    expect(pair.problems).toEqual([]);
  });

  it('carries many small writes', () => {
    const { source, sink } = join2(1);
    const received = collect(pair.loop, sink.read);
    for (let n = 0; n < 300; n++) {
      writeAll(source.write, pattern(7, n));
      pair.until(() => received.bytes.length >= 7 * (n + 1));
    }
    expect(received.bytes.subarray(14, 21).equals(pattern(7, 2))).toBe(true);
  });

  it('stalls only the stream whose reader stalls, within its window', () => {
    const stalled = join2(1);
    const flowing = join2(2);
    feed(pair.loop, stalled.source.write, pattern(2_000_000, 1));
    feed(pair.loop, flowing.source.write, pattern(2_000_000, 2));
    const received = collect(pair.loop, flowing.sink.read);
    pair.until(() => received.ended);
    expect(received.bytes.length).toBe(2_000_000);
    const late = collect(pair.loop, stalled.sink.read);
    pair.until(() => late.ended);
    expect(late.bytes.equals(pattern(2_000_000, 1))).toBe(true);
  });

  it('takes from files and delivers to files that are appended to', () => {
    const [from, to] = [join(scratch, 'from'), join(scratch, 'to')];
    const sent = pattern(700_000, 5);
    writeFileSync(from, sent);
    writeFileSync(to, 'before');
    pair.far.addSink(9, open(to, open_.writeOnly | open_.append));
    pair.near.addSource(9, open(from, open_.readOnly));
    pair.until(() => pair.ended.length === 1);
    expect(readFileSync(to).equals(Buffer.concat([Buffer.from('before'), sent]))).toBe(true);
  });

  it('never waits for the reader of a socket in blocking mode', () => {
    const [ours, theirs] = socketPair('stream');
    const source = openPipe();
    pair.far.addSink(3, ours);
    pair.near.addSource(3, source.read);
    feed(pair.loop, source.write, pattern(900_000, 3));
    const other = join2(4);
    const received = collect(pair.loop, other.sink.read);
    writeAll(other.source.write, pattern(5, 4));
    pair.until(() => received.bytes.length === 5);
    const late = collect(pair.loop, theirs);
    pair.until(() => late.ended);
    expect(late.bytes.equals(pattern(900_000, 3))).toBe(true);
  });

  it('drops what a sink that is gone no longer takes, and lets the sender go on', () => {
    const { source, sink } = join2(1);
    close(sink.read);
    feed(pair.loop, source.write, pattern(1_000_000, 1));
    pair.until(() => pair.ended.length === 1);
    expect(pair.problems).toEqual([]);
  });

  it('delivers to nowhere', () => {
    const source = openPipe();
    pair.far.addSink(1, null);
    pair.near.addSource(1, source.read);
    feed(pair.loop, source.write, pattern(600_000, 1));
    pair.until(() => pair.ended.length === 1);
    expect(pair.granted).toBeGreaterThan(300_000);
  });

  it('ends a stream before its source does', () => {
    const { sink } = join2(1);
    const received = collect(pair.loop, sink.read);
    pair.near.endSource(1);
    pair.near.endSource(1);
    pair.until(() => received.ended);
  });

  it('carries both ways at once', () => {
    const down = join2(1);
    const [source, sink] = [openPipe(), openPipe()];
    pair.near.addSink(2, sink.write);
    pair.far.addSource(2, source.read);
    feed(pair.loop, down.source.write, pattern(800_000, 1));
    feed(pair.loop, source.write, pattern(800_000, 2));
    const received = [collect(pair.loop, down.sink.read), collect(pair.loop, sink.read)];
    pair.until(() => received.every(({ ended }) => ended));
    expect(received.map(({ bytes }) => bytes.length)).toEqual([800_000, 800_000]);
  });
});

describe('a peer that breaks the rules', () => {
  const cases: readonly [name: string, bytes: number[], problem: RegExp][] = [
    ['a header out of bounds', [1, 0, 0, 0, 0, 0, 2, 0], /no sender may send/],
    ['a stream that is not open', [77, 0, 0, 0, 1, 0, 0, 0], /stream 77, which is not open/],
  ];
  for (const [name, bytes, problem] of cases)
    it(`loses its channel: ${name}`, () => {
      const { mux, peer, problems, loop } = lonely();
      mux.addSink(1, null);
      writeAll(peer, Uint8Array.from(bytes));
      loop.run();
      expect(problems).toEqual([expect.stringMatching(problem)]);
    });

  it('loses its channel when it sends more than its window', () => {
    const { mux, peer, problems, loop } = lonely();
    const sink = openPipe();
    mux.addSink(1, sink.write);
    const frame = new Uint8Array(8 + 65536);
    frame.set([1, 0, 0, 0, 0, 0, 1, 0]);
    feed(loop, peer, Buffer.concat(Array.from({ length: 8 }, () => frame)));
    loop.after(1000, () => loop.stop());
    loop.run();
    expect(problems).toEqual([expect.stringMatching(/more bytes of a stream than were granted/)]);
  });

  it('loses its channel when it grants what it never got', () => {
    const { mux, problems } = lonely();
    mux.addSource(1, openPipe().read);
    mux.grant(1, 5);
    expect(problems).toEqual([expect.stringMatching(/granted more than it had sent/)]);
  });

  it('is noticed when it hangs up', () => {
    const { peer, problems, loop } = lonely();
    close(peer);
    loop.run();
    expect(problems).toEqual(['the channel was closed']);
  });
});

/** A mux whose peer is the test. */
function lonely() {
  const loop = new Loop();
  const problems: string[] = [];
  const [fd, peer] = socketPair('stream');
  setNonBlocking(fd, true);
  const mux = new Mux(loop, fd, codec, { credit: () => {}, broken: ({ message }) => problems.push(message) });
  return { loop, mux, peer, problems };
}

it('reads what a peer has been sent as frames', () => {
  const { loop, mux, peer } = lonely();
  const source = openPipe();
  mux.addSource(6, source.read);
  writeAll(source.write, Buffer.from('hi'));
  close(source.write);
  loop.after(50, () => loop.stop());
  loop.run();
  const got = Buffer.alloc(100);
  expect(got.subarray(0, read(peer, got)).toString('hex')).toBe('06000000020000006869' + '0600000000000000');
  mux.close();
});

it('a peer that sends a byte at a time to a sink that stalls costs no more than its bytes', () => {
  const loop = new Loop();
  const [sinkEnd, reader] = socketPair('stream', { nonBlocking: true });
  while (writeNow(sinkEnd, Buffer.alloc(65536)) !== undefined) {}
  let delivered = 0;
  const events = {
    delivered: (bytes: number) => {
      delivered += bytes;
    },
    refused: () => {},
    ended: () => {},
  };
  const sink = new FrameSink(loop, codec.windowBytes, (step) => step, events);
  sink.connect(sinkEnd);
  const one = Buffer.from('x');
  for (let n = 0; n < codec.windowBytes; n++) {
    sink.reserve(1);
    sink.take(one);
  }
  const buffer = Buffer.alloc(1 << 20);
  const poll = () => {
    while (readNow(reader, buffer) !== undefined) {}
    if (delivered === codec.windowBytes) loop.stop();
    else loop.after(1, poll);
  };
  const spent = processorTime(() => {
    poll();
    loop.run();
  });
  expect(spent).toBeLessThan(1000);
  sink.close();
});
