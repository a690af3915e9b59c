import { describe, expect, it } from 'vitest';
import { close, read, writeAll } from '../../../src/native/files.ts';
import { Loop, type Watch } from '../../../src/native/loop.ts';
import { openPipe, type Pipe } from '../../../src/native/pipes.ts';
import { Readiness } from '../../../src/native/readiness.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

nativeScratch();

const BYTES = 5;

function filledPipe(): Pipe {
  const pipe = openPipe({ nonBlocking: true });
  writeAll(pipe.write, new Uint8Array(BYTES));
  return pipe;
}

/** Of whom nothing is asked but how often it is told to watch something else. */
class CountingLoop extends Loop {
  updates = 0;

  override watch(...[fd, handlers]: Parameters<Loop['watch']>): Watch {
    const watch = super.watch(fd, handlers);
    return {
      update: (changed) => {
        this.updates++;
        watch.update(changed);
      },
      close: () => watch.close(),
    };
  }
}

/** What `ready` does at each event, and how often it is called: `enough` times, or as often as it is in a tenth of a second. */
function timesReady(ready: (readiness: Readiness, pipe: Pipe, times: number) => void, enough?: number) {
  using loop = new CountingLoop();
  const pipe = filledPipe();
  let times = 0;
  const readiness: Readiness = new Readiness(loop, pipe.read, 'readable', () => {
    ready(readiness, pipe, ++times);
    if (times === enough) loop.stop();
  });
  readiness.arm();
  if (enough === undefined) loop.after(100, () => loop.stop());
  loop.run();
  readiness.close();
  for (const fd of [pipe.read, pipe.write]) close(fd);
  return { times, updates: loop.updates };
}

describe('Readiness', () => {
  it('tells once of what stays readable', () => {
    expect(timesReady(() => {}).times).toBe(1);
  });

  it('tells again whoever waits again, and has the loop change nothing for it', () => {
    const took = timesReady((readiness, pipe, times) => {
      expect(read(pipe.read, new Uint8Array(1))).toBe(1);
      if (times < BYTES) readiness.arm();
    }, BYTES);
    expect(took).toEqual({ times: BYTES, updates: 1 });
  });

  it('tells nobody who has thought better of it', () => {
    const took = timesReady((readiness) => {
      readiness.arm();
      readiness.disarm();
    });
    expect(took).toEqual({ times: 1, updates: 1 });
  });

  it('can be closed while it tells', () => {
    const took = timesReady((readiness) => readiness.close());
    expect(took).toEqual({ times: 1, updates: 0 });
  });
});
