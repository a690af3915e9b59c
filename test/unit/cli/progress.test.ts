import { describe, expect, it } from 'vitest';
import { advance, type ImageProgress, NO_PROGRESS, speedOf } from '../../../src/cli/layer-progress.ts';
import { LiveLines, type Screen } from '../../../src/cli/live-lines.ts';
import { barLines } from '../../../src/cli/progress-bars.ts';
import { downloadLines, remarksOn } from '../../../src/cli/progress-lines.ts';
import type { ImageEvent } from '../../../src/image/index.ts';
import { TerminalScreen } from './terminal-screen.ts';

const MIB = 1024 * 1024;
const layer = (index: number) => `sha256:${String(index).padStart(2, '0').repeat(32)}`;
const download = (index: number, read: number, total: number | undefined = 100 * MIB) =>
  ({ kind: 'layer-download', layer: layer(index), read, total }) as const;
const unmeasured = (index: number, read: number) => ({ ...download(index, read), total: undefined }) as const;
const resumed = (read: number) => ({ ...download(1, read), resumedFrom: 50 * MIB }) as const;
const extract = (index: number, read: number, total = 100 * MIB): ImageEvent => ({
  kind: 'layer-progress',
  layer: layer(index),
  read,
  total,
});

/** What is under way after events, each with its time in milliseconds. */
function underWay(...events: readonly (readonly [now: number, event: ImageEvent])[]): ImageProgress {
  return events.reduce((image, [now, event]) => advance(image, event, now), NO_PROGRESS);
}

/** A download of so many MiB per second, told ten times a second. */
function steady(perSecond: number, seconds: number, total = 100 * MIB): ImageProgress {
  const steps = Array.from({ length: seconds * 10 + 1 }, (_, step) => step);
  return underWay(
    ...steps.map((step) => [step * 100, download(1, (step / 10) * perSecond * MIB, total)] as const),
  );
}

const WIDE = { columns: 100, rows: 24 };
const only = (image: ImageProgress, columns: number, now: number) =>
  barLines(image.layers, { columns, rows: 24 }, now)[0] ?? '';

describe('the speed of a download', () => {
  const speed = (image: ImageProgress, now: number) => {
    const progress = image.layers.get(layer(1));
    return progress === undefined ? undefined : (speedOf(progress, now) ?? Number.NaN) / MIB;
  };

  it('is what it is, when it is steady', () => {
    expect(speed(steady(5, 10), 10_000)).toBeCloseTo(5, 1);
  });

  it('cannot be said at once', () => {
    expect(speed(underWay([0, download(1, 5 * MIB)]), 0)).toBeNaN();
  });

  it('does not jump when a second is faster than others', () => {
    const burst = advance(steady(5, 10), download(1, 80 * MIB), 11_000);
    expect(speed(burst, 11_000)).toBeGreaterThan(6);
    expect(speed(burst, 11_000)).toBeLessThan(20);
  });

  it('falls while nothing comes', () => {
    const image = steady(5, 10);
    expect(speed(image, 13_000)).toBeLessThan(2.5);
    expect(speed(image, 60_000)).toBeLessThan(0.1);
  });

  it('does not count what was there from an earlier attempt', () => {
    const image = underWay([0, resumed(50 * MIB)], [1000, resumed(51 * MIB)]);
    expect(speed(image, 1000)).toBeCloseTo(1, 5);
    expect(image.layers.get(layer(1))?.download).toMatchObject({ bytes: MIB });
  });

  it('begins anew when the other side does', () => {
    expect(speed(advance(steady(5, 10), download(1, MIB), 10_100), 10_100)).toBeNaN();
  });
});

describe('bars', () => {
  it('show a line for each layer, with share, rate, time left and size', () => {
    const image = advance(steady(5, 8), download(2, 0), 8000);
    expect(barLines(image.layers, WIDE, 8000)).toEqual([
      'downloading 010101010101 [===============>                      ]  40%  5.0MiB/s    12s  100MiB',
      'downloading 020202020202 [>                                     ]   0%                   100MiB',
    ]);
  });

  it('say how long it will take, however long that is', () => {
    const left = (perSecond: number, total: number) =>
      /\/s +(\S+) +\S+$/.exec(only(steady(perSecond, 4, total), 100, 4000))?.[1];
    expect(left(1, 104 * MIB)).toBe('1m40s');
    expect(left(1, 7504 * MIB)).toBe('2h05m');
    expect(left(1, 1_000_000 * MIB)).toBeUndefined();
  });

  it('are whole when all is there, and without one when nobody says how much it is', () => {
    expect(only(underWay([0, extract(1, 100 * MIB)]), 100, 0)).toMatch(/^extracting {2}\S+ \[=+\] 100%/);
    expect(only(underWay([0, unmeasured(1, 7 * MIB)]), 100, 0)).toMatch(/^downloading \S+ +7.0MiB$/);
  });

  it('of an extraction come after that of the download', () => {
    const behind = underWay([0, download(1, MIB)], [1, extract(1, MIB / 2)]);
    expect(behind.layers.get(layer(1))).toMatchObject({ phase: 'downloading', read: MIB });
    const waiting = advance(behind, download(1, 100 * MIB), 2);
    expect(only(waiting, 100, 2)).toBe('downloaded  010101010101  100MiB');
    const extracting = advance(waiting, extract(1, 50 * MIB), 3);
    expect(only(extracting, 100, 3)).toMatch(/^extracting {2}010101010101 \[=+> +\] {2}50%/);
    expect(advance(extracting, { kind: 'layer-done', layer: layer(1) }, 4).layers.size).toBe(0);
  });

  it('of a disk for machines come after those of its layer, and go with it', () => {
    const disk = (read: number) =>
      ({ kind: 'disk-progress', layer: layer(1), read, total: 100 * MIB }) as const;
    const making = underWay([0, extract(1, 100 * MIB)], [1, disk(0)], [2, disk(50 * MIB)]);
    expect(only(making, 100, 2)).toMatch(/^making disk 010101010101 \[=+> +\] {2}50%/);
    const done = { kind: 'disk-done', layer: layer(1) } as const;
    expect(advance(making, done, 3).layers.size).toBe(0);
    expect(remarksOn(done, true)).toEqual([`made a disk of layer ${layer(1)}`]);
    const refused = { kind: 'disk-refused', reason: 'no space' } as const;
    expect(advance(making, refused, 3).layers.size).toBe(0);
    expect(remarksOn(refused, true)).toEqual(['no disks for machines: no space']);
    expect(remarksOn(refused, false)).toEqual([]);
  });

  it('of a download that goes on come before the extraction of what was there', () => {
    const image = underWay([0, extract(1, 50 * MIB)], [1, resumed(60 * MIB)], [2, extract(1, 60 * MIB)]);
    expect(image.layers.get(layer(1))).toMatchObject({ phase: 'downloading', read: 60 * MIB });
    expect(advance(image, resumed(100 * MIB), 3).layers.get(layer(1))?.phase).toBe('downloaded');
  });

  it('go with the image', () => {
    const imported = { kind: 'image-imported', source: 'x', id: 'y', milliseconds: 1 } as const;
    expect(advance(steady(5, 1), imported, 0).layers.size).toBe(0);
  });

  it.each([20, 24, 40, 50, 60, 70, 79, 80, 200])('fit into %i columns, the last one left free', (columns) => {
    const line = only(steady(5, 8), columns, 8000);
    expect(line.length).toBeLessThan(columns);
    expect('downloading 010101010101'.startsWith(line.slice(0, 24))).toBe(true);
    if (columns >= 50) expect(line).toMatch(/\[=+> *\] {2}40%/);
  });

  it('leave out what waits, then the last, when the window is too low', () => {
    const many = underWay(
      ...Array.from({ length: 12 }, (_, index) => [0, download(index, index < 3 ? 100 * MIB : 1)] as const),
    );
    const lines = barLines(many.layers, { columns: 100, rows: 6 }, 0);
    expect(lines.map((line) => line.slice(0, 24).trimEnd())).toEqual([
      'downloading 030303030303',
      'downloading 040404040404',
      'downloading 050505050505',
      'downloading 060606060606',
      'and 8 more layers',
    ]);
    expect(barLines(many.layers, { columns: 100, rows: 13 }, 0)).toHaveLength(12);
    expect(barLines(many.layers, { columns: 100, rows: 1 }, 0)).toHaveLength(2);
  });

  it('show no controls of names that others have made', () => {
    const named = { kind: 'layer-download', layer: 'x\x1b[2J.aci', read: 0, total: 1 } as const;
    expect(only(underWay([0, named]), 100, 0)).not.toContain('\x1b');
  });
});

describe('lines instead of bars', () => {
  const said = (...events: readonly (readonly [now: number, event: ImageEvent])[]) => {
    let before = NO_PROGRESS;
    return events.flatMap(([now, event]) => {
      const image = advance(before, event, now);
      const lines = downloadLines(event, { before, after: image });
      before = image;
      return lines;
    });
  };
  const done = { kind: 'layer-done', layer: layer(1) } as const;

  it('are two for each layer', () => {
    const events = [
      [0, download(1, 0)],
      [1000, download(1, 50 * MIB)],
      [2000, download(1, 100 * MIB)],
      [3000, extract(1, 100 * MIB)],
      [9000, done],
    ] as const;
    expect(said(...events)).toEqual([
      `downloading ${layer(1)}, 100MiB`,
      `downloaded ${layer(1)}, 100MiB, 50MiB/s`,
    ]);
  });

  it('are two also for what comes in one piece', () => {
    expect(said([0, download(1, MIB, MIB)], [5, done])).toEqual([
      `downloading ${layer(1)}, 1.0MiB`,
      `downloaded ${layer(1)}, 1.0MiB, 1000MiB/s`,
    ]);
  });

  it('say from where a broken download goes on, and count only what came now', () => {
    expect(said([0, resumed(60 * MIB)], [5000, resumed(100 * MIB)])).toEqual([
      `downloading ${layer(1)}, 100MiB, from 50MiB on`,
      `downloaded ${layer(1)}, 50MiB, 10MiB/s`,
    ]);
  });

  it('are two also when what was there is extracted before more of it comes', () => {
    const events = [
      [0, extract(1, 50 * MIB)],
      [0, resumed(60 * MIB)],
      [1000, extract(1, 60 * MIB)],
      [1000, resumed(100 * MIB)],
      [1000, done],
    ] as const;
    expect(said(...events)).toEqual([
      `downloading ${layer(1)}, 100MiB, from 50MiB on`,
      `downloaded ${layer(1)}, 50MiB, 50MiB/s`,
    ]);
    expect(said([0, extract(1, 50 * MIB)], [0, resumed(100 * MIB)], [1, done])).toHaveLength(2);
  });

  it('wait for the end of what has no known length', () => {
    expect(said([0, unmeasured(1, 1)], [1000, unmeasured(1, 2 * MIB)], [1000, done])).toEqual([
      `downloading ${layer(1)}`,
      `downloaded ${layer(1)}, 2.0MiB, 2.0MiB/s`,
    ]);
  });

  it('are none for what comes from a file', () => {
    const file = { kind: 'image-import', source: 'x' } as const;
    expect(said([0, file], [0, download(1, MIB)], [1, download(1, 100 * MIB)], [2, done])).toEqual([]);
    expect(said([0, extract(1, MIB)], [1, extract(1, 100 * MIB)], [2, done])).toEqual([]);
  });
});

describe('remarks', () => {
  const everything: readonly (readonly [ImageEvent, readonly string[]])[] = [
    [{ kind: 'image-import', source: 'a.aci' }, ['using image from file a.aci']],
    [
      { kind: 'image-found', source: 'example.com/a', id: 'sha512-1' },
      ['using image from local store for image name example.com/a'],
    ],
    [
      { kind: 'image-found', source: 'sha512-1', id: 'sha512-12' },
      ['using image from the store with hash sha512-12'],
    ],
    [
      { kind: 'image-fetch', url: 'https://a/b' },
      ['remote fetching from URL "https://a/b"', 'fetching image from https://a/b'],
    ],
    [{ kind: 'discovery-miss', reason: 'https://a: no meta tag' }, ['https://a: no meta tag']],
    [{ kind: 'image-fresh', url: 'https://a/b' }, ["image for https://a/b isn't expired, not fetching."]],
    [{ kind: 'signature-deferred', url: 'u' }, ['server requested deferring the signature download']],
  ];

  it.each(everything)('on %j are rkt’s, and made with --debug only', (event, lines) => {
    expect(remarksOn(event, true)).toEqual(lines);
    expect(remarksOn(event, false)).toEqual([]);
  });

  it('on what keeps people waiting, and on who has signed, are always made', () => {
    expect(remarksOn({ kind: 'wait', what: 'layer x' }, false)).toEqual([
      'waiting for another process: layer x',
    ]);
    expect(remarksOn({ kind: 'retry', what: 'x', reason: '503', milliseconds: 1500.4 }, false)).toEqual([
      'x: 503, trying again in 1.5s',
    ]);
    const verified = { kind: 'signature-verified', fingerprint: 'abcd' } as const;
    expect(remarksOn({ ...verified, identities: ['A <a@b>', 'C'] }, false)).toEqual([
      'signature verified:',
      '  A <a@b>',
      '  C',
    ]);
    expect(remarksOn({ ...verified, identities: [] }, false)).toEqual(['signature verified:', '  abcd']);
  });
});

describe('lines that are drawn again and again', () => {
  function drawn(columns: number, rows: number, act: (lines: LiveLines, screen: TerminalScreen) => void) {
    const screen = new TerminalScreen(columns, rows);
    screen.write('$ rkt fetch\n');
    act(new LiveLines(screen), screen);
    return screen;
  }

  it('stay in one place, and leave nothing behind', () => {
    const screen = drawn(20, 6, (lines, terminal) => {
      lines.draw(['one 10%', 'two 20%']);
      lines.draw(['one 30%', 'two 40%']);
      expect(terminal.text).toEqual(['$ rkt fetch', 'one 30%', 'two 40%']);
      expect(terminal.cursorVisible).toBe(false);
      lines.draw(['two 50%']);
      expect(terminal.text).toEqual(['$ rkt fetch', 'two 50%']);
      lines.clear();
      lines.clear();
    });
    expect(screen.text).toEqual(['$ rkt fetch']);
    expect(screen.cursorVisible).toBe(true);
    screen.write('done\n');
    expect(screen.text).toEqual(['$ rkt fetch', 'done']);
  });

  it('are taken away whole in a window that has become narrower', () => {
    const screen = drawn(20, 8, (lines, terminal) => {
      lines.draw(['0123456789abcdef', '0123456789']);
      terminal.resize(10);
      expect(terminal.text).toEqual(['$ rkt fetc', 'h', '0123456789', 'abcdef', '0123456789']);
      lines.draw(['012345678', 'x']);
      expect(terminal.text).toEqual(['$ rkt fetc', 'h', '012345678', 'x']);
      lines.clear();
    });
    expect(screen.text).toEqual(['$ rkt fetc', 'h']);
  });

  it('take a terminal that does not know its size for a usual one', () => {
    const unsized: Screen = { columns: 0, rows: 0, write: () => true };
    expect(new LiveLines(unsized).size).toEqual({ columns: 80, rows: 24 });
  });
});
