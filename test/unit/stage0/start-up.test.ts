import { describe, expect, it } from 'vitest';
import { formatMark, type Mark, parseTimeline } from '../../../src/abi/timeline.ts';
import { startUp } from '../../../src/stage0/start-up.ts';

/** Marks at so many milliseconds. */
const timeline = (...marks: readonly (readonly [number, Mark])[]) =>
  parseTimeline(marks.map(([ms, mark]) => formatMark(mark, 1_795_000_000, ms * 1_000_000)).join(''));
const plain = (name: Exclude<Mark['name'], 'hello' | 'app'>): Mark => ({ name });
const rows = (found: ReturnType<typeof startUp>) =>
  found?.spans.map(({ name, app, start, duration }) => [
    app === undefined ? name : `${name} ${app}`,
    Number(start) / 1e6,
    Number(duration) / 1e6,
  ]);

const RUN = [
  [0, plain('command')],
  [100, plain('created')],
  [110, plain('fetched')],
  [115, plain('prepared')],
  [120, plain('supervisor')],
  [130, plain('set-up')],
  [140, plain('machine')],
] as const;
const APPS = [
  [700, plain('plan')],
  [760, { name: 'app', app: 'web' }],
  [790, { name: 'app', app: 'db' }],
  [795, plain('ready')],
] as const;
const hello = (initMs: number, helloMs: number) => [690, { name: 'hello', initMs, helloMs }] as const;

describe('a start', () => {
  it('is a chain of parts whose sum is the whole', () => {
    const found = startUp(timeline(...RUN, hello(300, 350), ...APPS, [900, plain('ended')]));
    expect(rows(found)).toEqual([
      ['command', 0, 100],
      ['fetch', 100, 10],
      ['prepare', 110, 5],
      ['mount', 115, 5],
      ['set-up', 120, 10],
      ['vm', 130, 210],
      ['kernel', 340, 300],
      ['init', 640, 60],
      ['app web', 700, 60],
      ['app db', 760, 30],
      ['ready', 790, 5],
    ]);
    expect(found).toMatchObject({ work: 795_000_000n, isReady: true, ran: 105_000_000n });
  });

  it('in namespaces has no kernel', () => {
    const begun = [...RUN.slice(0, -1), [140, plain('namespaces')]] as const;
    expect(rows(startUp(timeline(...begun, hello(0, 30), ...APPS)))?.slice(4, 8)).toEqual([
      ['set-up', 120, 10],
      ['namespaces', 130, 530],
      ['init', 660, 40],
      ['app web', 700, 60],
    ]);
  });

  it('in two commands has a wait that is no work', () => {
    const found = startUp(
      timeline(
        ...([
          [0, plain('command')],
          [100, plain('created')],
          [110, plain('fetched')],
          [115, plain('prepared')],
          [515, plain('run-prepared')],
          [600, plain('taken')],
          [605, plain('supervisor')],
        ] as const),
      ),
    );
    expect(rows(found)?.slice(2)).toEqual([
      ['prepare', 110, 5],
      ['wait', 115, 400],
      ['command', 515, 85],
      ['mount', 600, 5],
    ]);
    expect(found).toMatchObject({ work: 205_000_000n, isReady: false });
  });

  it.each([
    ['an init that began before its kernel and a kernel before its machine', 5000, 900_000],
    ['a word from before its boot', 0, 0],
    ['an init that began after its word', 900, 100],
  ])('of a guest that tells of %s stays within its bounds', (_, initMs, helloMs) => {
    const found = startUp(timeline(...RUN, hello(initMs, helloMs), ...APPS));
    const sum = found?.spans.reduce((total, { duration }) => total + duration, 0n);
    expect(sum).toBe(795_000_000n);
    expect(found?.spans.filter(({ duration }) => duration < 0n)).toEqual([]);
  });

  it('under a clock that is set back has empty parts, no negative ones', () => {
    const found = startUp(timeline([50, plain('command')], [20, plain('created')], [70, plain('fetched')]));
    expect(rows(found)).toEqual([
      ['command', 0, 0],
      ['fetch', 0, 20],
    ]);
  });

  it('that nobody noted is none', () => {
    expect(startUp([])).toBeUndefined();
  });
});

describe('the file', () => {
  it('reads back what was written, but for a last line that was cut short', () => {
    const text = [...RUN, hello(300, 350), ...APPS].map(([ms, mark]) => formatMark(mark, 7, ms)).join('');
    const marks = parseTimeline(text);
    expect(marks.map(({ time, ...mark }) => mark)).toEqual(
      [...RUN, hello(300, 350), ...APPS].map(([, mark]) => mark),
    );
    expect(marks.at(-1)?.time).toBe(7_000_000_795n);
    expect(parseTimeline(text.slice(0, -1))).toHaveLength(marks.length - 1);
  });

  it.each([
    '',
    'rubbish\n',
    '1.5 command\n',
    '1.000000000 later\n',
    '1.000000000 command more\n',
    '1.000000000 app\n',
  ])('makes nothing of %j', (text) => {
    expect(parseTimeline(text)).toEqual([]);
  });

  it.each(['1.000000000 hello -1 2\n', '1.000000000 hello 1\n', '1.000000000 hello 99999999999 1\n'])(
    "makes nothing of the guest's times in %j",
    (text) => {
      expect(parseTimeline(text)).toEqual([]);
    },
  );
});
