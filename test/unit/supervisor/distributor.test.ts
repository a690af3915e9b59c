import { createHash, randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { duplicateAbove, setNonBlocking, setPipeSize } from '../../../src/native/descriptors.ts';
import { close, open, open_, readNow, writeNow } from '../../../src/native/files.ts';
import { Loop } from '../../../src/native/loop.ts';
import { openPipe, type Pipe } from '../../../src/native/pipes.ts';
import { Readiness } from '../../../src/native/readiness.ts';
import { Distributor } from '../../../src/supervisor/distributor.ts';
import { LogClock } from '../../../src/supervisor/log-clock.ts';
import { LogWriter } from '../../../src/supervisor/log-writer.ts';
import type { TapEnd } from '../../../src/supervisor/tap.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

const scratch = nativeScratch();
const A_MEGABYTE = 1 << 20;

function newDistributor(from?: number) {
  const directory = mkdtempSync(join(scratch, 'log-'));
  const loop = new Loop();
  const settings = { bytes: 64 * A_MEGABYTE, clock: new LogClock(), refused: () => {} };
  const log = new LogWriter(directory, 'stdout', settings);
  let ended = false;
  const hasEnded = () => {
    ended = true;
    loop.stop();
  };
  const distributor: Distributor = new Distributor(loop, log, hasEnded, from);
  return {
    loop,
    distributor,
    logged: () => readFileSync(join(directory, 'stdout.0.data')),
    hasEnded: () => ended,
    /** Serves for so long, or until the distributor has ended. */
    serve: (milliseconds: number) => {
      const timer = loop.after(milliseconds, () => loop.stop());
      loop.run();
      timer.cancel();
    },
  };
}

/** Writes bytes as fast as they are taken, then closes. */
function feed(loop: Loop, fd: number, bytes: Uint8Array): { readonly written: () => number } {
  setNonBlocking(fd, true);
  let at = 0;
  const writable: Readiness = new Readiness(loop, fd, 'writable', () => {
    at += writeNow(fd, bytes.subarray(at, at + 50_000)) ?? 0;
    if (at < bytes.length) {
      writable.arm();
    } else {
      writable.close();
      close(fd);
    }
  });
  writable.arm();
  return { written: () => at };
}

/** Reads to the end, `portion` bytes at a time. */
function reader(loop: Loop, portion: number) {
  const pipe = openPipe({ nonBlocking: true });
  const parts: Buffer[] = [];
  const buffer = Buffer.alloc(portion);
  const readable: Readiness = new Readiness(loop, pipe.read, 'readable', () => {
    const count = readNow(pipe.read, buffer);
    if (count === 0) {
      readable.close();
    } else {
      parts.push(Buffer.from(buffer.subarray(0, count ?? 0)));
      readable.arm();
    }
  });
  return { ...pipe, start: () => readable.arm(), bytes: () => Buffer.concat(parts) };
}

const digest = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

describe('Distributor', () => {
  it('gives every byte to all readers, fast and slow, and to the log', () => {
    const { loop, distributor, serve, logged, hasEnded } = newDistributor();
    const sent = randomBytes(3 * A_MEGABYTE + 17);
    const readers = [reader(loop, 65536), reader(loop, 777)];
    const file = join(scratch, 'copy');
    const ends: TapEnd[] = [];
    for (const { write } of readers) distributor.add(write, (end) => ends.push(end));
    distributor.add(open(file, open_.writeOnly | open_.create | open_.append, 0o600), (end) =>
      ends.push(end),
    );
    for (const { start } of readers) start();
    feed(loop, distributor.input, sent);
    serve(60_000);
    expect(hasEnded()).toBe(true);
    expect(ends).toEqual(['ended', 'ended', 'ended']);
    serve(50);
    const copies = [logged(), readFileSync(file), ...readers.map(({ bytes }) => bytes())];
    expect(copies.map(digest)).toEqual(copies.map(() => digest(sent)));
  });

  it('takes no more than a reader that does not read has room for', () => {
    const { loop, distributor, serve, logged, hasEnded } = newDistributor();
    const sent = randomBytes(4 * A_MEGABYTE);
    const stalled = reader(loop, 65536);
    distributor.add(stalled.write, () => {});
    const { written } = feed(loop, distributor.input, sent);
    serve(200);
    expect(hasEnded()).toBe(false);
    expect(written()).toBeLessThan(A_MEGABYTE);
    stalled.start();
    serve(60_000);
    expect(digest(logged())).toBe(digest(sent));
  });

  it('tells of a reader that is gone, and goes on for the others', () => {
    const { loop, distributor, serve, logged } = newDistributor();
    const gone = openPipe();
    close(gone.read);
    const ends: TapEnd[] = [];
    distributor.add(gone.write, (end) => ends.push(end));
    feed(loop, distributor.input, Buffer.from('all of it'));
    serve(60_000);
    expect(ends).toEqual(['refused']);
    expect(logged().toString()).toBe('all of it');
  });

  it('lets go of one that takes nothing for too long', () => {
    const { loop, distributor, serve, logged } = newDistributor();
    const sent = randomBytes(4 * A_MEGABYTE);
    const ends: TapEnd[] = [];
    distributor.add(reader(loop, 65536).write, (end) => ends.push(end), 100);
    feed(loop, distributor.input, sent);
    serve(60_000);
    expect(ends).toEqual(['stalled']);
    expect(digest(logged())).toBe(digest(sent));
  });

  it('gives one who comes later what comes later', () => {
    const { loop, distributor, serve, logged } = newDistributor();
    writeNow(distributor.input, Buffer.from('before '));
    serve(20);
    const late = reader(loop, 65536);
    const tap = distributor.add(late.write, () => {});
    late.start();
    writeNow(distributor.input, Buffer.from('while '));
    serve(20);
    distributor.remove(tap);
    writeNow(distributor.input, Buffer.from('after'));
    serve(20);
    expect(late.bytes().toString()).toBe('while ');
    expect(logged().toString()).toBe('before while after');
  });

  it('when closed at once, has what came in the log', () => {
    const { distributor, logged, hasEnded } = newDistributor();
    writeNow(distributor.input, Buffer.from('last words'));
    distributor.close();
    expect(hasEnded()).toBe(true);
    expect(logged().toString()).toBe('last words');
  });
});

describe('Distributor, out of a pipe of an app', () => {
  function appPipe(): Pipe {
    const pipe = openPipe();
    setNonBlocking(pipe.read, true);
    return pipe;
  }

  it('gives every byte to a reader and to the log, however large the app makes its pipe', () => {
    const pipe = appPipe();
    const { loop, distributor, serve, logged, hasEnded } = newDistributor(pipe.read);
    setPipeSize(pipe.write, A_MEGABYTE);
    const sent = randomBytes(3 * A_MEGABYTE + 17);
    const slow = reader(loop, 5000);
    distributor.add(slow.write, () => {});
    slow.start();
    feed(loop, pipe.write, sent);
    serve(60_000);
    expect(hasEnded()).toBe(true);
    serve(50);
    expect([logged(), slow.bytes()].map(digest)).toEqual([digest(sent), digest(sent)]);
  });

  it('ends with the last who writes, and not before', () => {
    const { read, write } = appPipe();
    const { serve, logged, hasEnded } = newDistributor(read);
    const other = duplicateAbove(write, 3);
    writeNow(write, Buffer.from('one '));
    close(write);
    serve(50);
    expect(hasEnded()).toBe(false);
    writeNow(other, Buffer.from('two'));
    close(other);
    serve(60_000);
    expect(hasEnded()).toBe(true);
    expect(logged().toString()).toBe('one two');
  });

  it('takes nothing that a reader has no room for: the app waits', () => {
    const { read, write } = appPipe();
    const { loop, distributor, serve, logged } = newDistributor(read);
    const sent = randomBytes(4 * A_MEGABYTE);
    const stalled = reader(loop, 65536);
    distributor.add(stalled.write, () => {});
    const { written } = feed(loop, write, sent);
    serve(200);
    expect(written()).toBeLessThan(A_MEGABYTE);
    stalled.start();
    serve(60_000);
    expect(digest(logged())).toBe(digest(sent));
  });

  it('when closed at once, has all that the pipe holds in the log, and who writes is told', () => {
    const { read, write } = appPipe();
    const { distributor, logged, hasEnded } = newDistributor(read);
    setPipeSize(write, A_MEGABYTE);
    const sent = randomBytes(A_MEGABYTE);
    writeNow(write, sent);
    distributor.close();
    expect(hasEnded()).toBe(true);
    expect(digest(logged())).toBe(digest(sent));
    expect(() => writeNow(write, Buffer.from('more'))).toThrow('EPIPE');
    close(write);
  });
});
