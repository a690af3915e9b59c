import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { monotonicMilliseconds, sleep } from '../../../src/native/clock.ts';
import { writeFile } from '../../../src/native/contents.ts';
import { close, open, open_, read, writeAll } from '../../../src/native/files.ts';
import { Loop, type Watch } from '../../../src/native/loop.ts';
import { openPipe, type Pipe } from '../../../src/native/pipes.ts';
import { socketPair } from '../../../src/native/sockets.ts';
import { Timers } from '../../../src/native/timers.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

const scratch = nativeScratch();

/** Ends a loop that waits for something that does not come. */
function guarded(loop: Loop): Loop {
  loop.after(2000, () => loop.stop(99));
  return loop;
}

function filledPipe(): Pipe {
  const pipe = openPipe();
  writeAll(pipe.write, new Uint8Array(3));
  return pipe;
}

describe('Loop', () => {
  it('returns at once when there is nothing to wait for', () => {
    using loop = new Loop();
    expect(loop.run()).toBe(0);
  });

  it('reports what is readable for as long as it is', () => {
    using loop = guarded(new Loop());
    const pipe = filledPipe();
    let times = 0;
    loop.watch(pipe.read, {
      readable: () => {
        times++;
        if (read(pipe.read, new Uint8Array(1)) === 1 && times === 3) loop.stop(7);
      },
    });
    expect(loop.run()).toBe(7);
    expect(times).toBe(3);
  });

  it('reports room to write, and the end of the other side', () => {
    using loop = guarded(new Loop());
    const [near, far] = socketPair('stream');
    const seen: string[] = [];
    const watch = loop.watch(near, {
      writable: () => {
        seen.push('writable');
        watch.update({ readable: () => seen.push('readable'), hangup: () => loop.stop(1) });
        writeAll(far, new Uint8Array(1));
        close(far);
      },
      hangup: () => seen.push('too early'),
    });
    loop.watch(near + 0, {}).close();
    const drain = new Uint8Array(1);
    loop.after(20, () => {
      read(near, drain);
      watch.update({ hangup: () => loop.stop(1) });
    });
    expect(loop.run()).toBe(1);
    expect(seen[0]).toBe('writable');
    expect(new Set(seen)).toEqual(new Set(['writable', 'readable']));
  });

  it('lets a reader without a hangup handler find the end itself', () => {
    using loop = guarded(new Loop());
    const pipe = openPipe();
    close(pipe.write);
    loop.watch(pipe.read, { readable: () => loop.stop(read(pipe.read, new Uint8Array(1))) });
    expect(loop.run()).toBe(0);
  });

  it('leaves a paused fd alone even though it hung up', () => {
    using loop = new Loop();
    const pipe = filledPipe();
    let calls = 0;
    const watch = loop.watch(pipe.read, { readable: () => calls++ });
    watch.update({});
    close(pipe.write);
    const started = monotonicMilliseconds();
    const processor = process.cpuUsage();
    loop.after(60, () => watch.update({ readable: () => loop.stop(5) }));
    expect(loop.run()).toBe(5);
    expect(calls).toBe(0);
    expect(monotonicMilliseconds() - started).toBeGreaterThanOrEqual(59);
    expect(process.cpuUsage(processor).user).toBeLessThan(50_000);
  });

  it('drops events of a watch that an earlier callback closed, whatever its fd is by then', () => {
    using loop = new Loop();
    const pipes = [filledPipe(), filledPipe()];
    const watches: Watch[] = [];
    const calls: string[] = [];
    pipes.forEach((pipe, index) => {
      watches[index] = loop.watch(pipe.read, {
        readable: () => {
          calls.push(`pipe ${index}`);
          const other = pipes[1 - index];
          watches[1 - index]?.close();
          if (other) close(other.read);
          const reused = filledPipe();
          expect(reused.read).toBe(other?.read);
          watches[index]?.close();
          const second = loop.watch(reused.read, {
            readable: () => {
              calls.push('reused');
              second.close();
            },
          });
        },
      });
    });
    expect(loop.run()).toBe(0);
    expect(calls).toHaveLength(2);
    expect(calls[1]).toBe('reused');
  });

  it('takes regular files as always ready', () => {
    using loop = guarded(new Loop());
    const path = join(scratch, 'file');
    writeFile(path, 'abc');
    const fd = open(path, open_.readOnly);
    let count = 0;
    const watch = loop.watch(fd, {
      readable: () => {
        const got = read(fd, new Uint8Array(2));
        count += got;
        if (got > 0) return;
        watch.update({});
        loop.after(1, () => loop.stop(count));
      },
    });
    expect(loop.run()).toBe(3);
  });

  it('may be asked to close a watch twice and to update a closed one', () => {
    using loop = new Loop();
    const pipe = filledPipe();
    const watch = loop.watch(pipe.read, { readable: () => loop.stop(1) });
    watch.close();
    watch.close();
    watch.update({ readable: () => loop.stop(1) });
    expect(loop.run()).toBe(0);
  });

  it('refuses an fd that is not open', () => {
    using loop = new Loop();
    expect(() => loop.watch(9999, { readable: () => {} })).toThrow('EBADF');
    expect(loop.run()).toBe(0);
  });

  it('fires timers in order and not after they are cancelled', () => {
    using loop = new Loop();
    const fired: string[] = [];
    loop.after(20, () => fired.push('second'));
    loop.after(1, () => {
      fired.push('first');
      third.cancel();
    });
    const third = loop.after(10, () => fired.push('cancelled'));
    expect(loop.run()).toBe(0);
    expect(fired).toEqual(['first', 'second']);
  });
});

describe('Timers', () => {
  it('keeps equal deadlines in the order they were made', () => {
    const timers = new Timers();
    const fired: number[] = [];
    for (const [n, deadline] of [5, 3, 5, 4].entries()) timers.add(deadline, () => fired.push(n));
    expect(timers.next()).toBe(3);
    for (const callback of timers.due(5)) callback();
    expect(fired).toEqual([1, 3, 0, 2]);
    expect(timers.next()).toBeUndefined();
  });

  it('keeps what is due with the callback that stops it for the next run', () => {
    const loop = new Loop();
    const fired: string[] = [];
    loop.after(0, () => loop.stop());
    loop.after(0, () => fired.push('later'));
    sleep(2);
    loop.run();
    expect(fired).toEqual([]);
    loop.run();
    expect(fired).toEqual(['later']);
  });

  it('lets one callback cancel another that is due with it', () => {
    const timers = new Timers();
    const fired: string[] = [];
    timers.add(1, () => later.cancel());
    const later = timers.add(2, () => fired.push('never'));
    for (const callback of timers.due(2)) callback();
    expect(fired).toEqual([]);
  });
});
