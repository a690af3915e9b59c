import { CommanderError } from 'commander';
import { describe, expect, it, test, vi } from 'vitest';
import { parsePodUUID } from '../../../src/appc/uuid.ts';
import { formatDuration, parseDuration } from '../../../src/cli/duration.ts';
import { CliError } from '../../../src/cli/error.ts';
import { exitCodeFor, messageOf } from '../../../src/cli/exit-code.ts';
import { jsonText } from '../../../src/cli/format-flag.ts';
import { formatJson } from '../../../src/cli/json.ts';
import { complain } from '../../../src/cli/output.ts';
import { podTable } from '../../../src/cli/pod-table.ts';
import { statusText } from '../../../src/cli/status.ts';
import { formatTable } from '../../../src/cli/table.ts';
import { absoluteTime, relativeTime } from '../../../src/cli/time.ts';
import type { PodRecord } from '../../../src/stage0/list.ts';

test('tables are padded with TABs to the stops of eight', () => {
  expect(
    formatTable([
      ['UUID', 'APP', 'X'],
      ['12345678', 'a', ''],
      ['1234567', 'abcdefg', 'z'],
    ]),
  ).toBe('UUID\t\tAPP\tX\n12345678\ta\t\n1234567\t\tabcdefg\tz\n');
});

test('JSON keeps nanoseconds whole, leaves out what is absent and indents by TABs', () => {
  const json = { a: 1795458574900547218n, b: undefined, c: [], d: {}, e: ['x', null, true] };
  expect(formatJson(json)).toBe('{"a":1795458574900547218,"c":[],"d":{},"e":["x",null,true]}');
  expect(formatJson({ a: [1] }, '\t')).toBe('{\n\t"a": [\n\t\t1\n\t]\n}');
});

test('JSON has nothing in it that commands a terminal, and means the same', () => {
  const json = { a: 'x\u009b2J\u202e\u007f\u2028\x1b[A' };
  const text = jsonText(json, 'json-pretty');
  expect(text).toBe('{\n\t"a": "x\\u009b2J\\u202e\\u007f\\u2028\\u001b[A"\n}\n');
  expect(JSON.parse(text)).toEqual(json);
});

describe('times', () => {
  const now = Date.UTC(2026, 0, 1);
  const ago = (seconds: number) => BigInt(now - seconds * 1000) * 1_000_000n;
  it.each([
    [0, 'now'],
    [1, '1 second ago'],
    [6, '6 seconds ago'],
    [60, '1 minute ago'],
    [120, '2 minutes ago'],
    [3600, '1 hour ago'],
    [86_400 * 3, '3 days ago'],
    [86_400 * 7, '1 week ago'],
    [86_400 * 70, '2 months ago'],
    [86_400 * 400, '1 year ago'],
    [86_400 * 600, '2 years ago'],
    [-5, 'now'],
  ])('%i seconds are said as %s', (seconds, text) => {
    expect(relativeTime(ago(seconds), now)).toBe(text);
  });

  it.each([
    ['UTC', '2026-07-01 12:30:05.25 +0000 UTC'],
    ['Europe/Berlin', '2026-07-01 14:30:05.25 +0200 CEST'],
    ['America/New_York', '2026-07-01 08:30:05.25 -0400 EDT'],
    ['Asia/Tehran', '2026-07-01 16:00:05.25 +0330 +0330'],
  ])("absolute ones are Go's, in %s", (zone, text) => {
    vi.stubEnv('TZ', zone);
    expect(absoluteTime(BigInt(Date.UTC(2026, 6, 1, 12, 30, 5, 250)) * 1_000_000n)).toBe(text);
    vi.unstubAllEnvs();
  });
});

describe('durations', () => {
  it.each([
    ['30m', 1_800_000, '30m0s'],
    ['1h30m', 5_400_000, '1h30m0s'],
    ['1.5s', 1500, '1.5s'],
    ['250ms', 250, '250ms'],
    ['0', 0, '0s'],
    ['0s', 0, '0s'],
    ['-2s', -2000, '-2s'],
    ['24h', 86_400_000, '24h0m0s'],
  ])("%s is Go's", (text, milliseconds, shown) => {
    expect(parseDuration(text)).toBe(milliseconds);
    expect(formatDuration(milliseconds)).toBe(shown);
  });

  it.each(['', '5', 's', '1x', '1m2', 'm1', '1..5s'])('%j is none', (text) => {
    expect(() => parseDuration(text)).toThrow('invalid duration');
  });

  it('is refused at once where it is long', () => {
    expect(() => parseDuration('9'.repeat(100_000))).toThrow('invalid duration');
    expect(() => parseDuration('1s'.repeat(40))).toThrow('invalid duration');
  });
});

describe('errors', () => {
  it('are one line with their causes, each said once', () => {
    const cause = new Error('ENOENT: no such file');
    expect(messageOf(new CliError('usage', 'unable to read x', { cause }))).toBe(
      'unable to read x: ENOENT: no such file',
    );
    expect(messageOf(new Error('x: ENOENT: no such file', { cause }))).toBe('x: ENOENT: no such file');
    const middle = new Error('no signature: no connection', { cause: new Error('no connection', { cause }) });
    expect(messageOf(new Error(`image x: ${middle.message}`, { cause: middle }))).toBe(
      `image x: no signature: no connection: ${cause.message}`,
    );
    expect(messageOf('text')).toBe('text');
  });

  it('do not command a terminal, also where they are shown with their stack', () => {
    const write = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    complain('fetch', new Error('bad \x1b[2J\u009bname'), true);
    const written = write.mock.calls.map(([text]) => text).join('');
    write.mockRestore();
    expect(written).toMatch(/^fetch: bad \\u001b\[2J\\u009bname\nError: bad \\u001b\[2J\\u009bname\n +at /);
  });

  it('end in 254, except where commander has shown its help', () => {
    expect(exitCodeFor(new CliError('usage', 'x'))).toBe(254);
    expect(exitCodeFor(new CommanderError(0, 'commander.helpDisplayed', '(outputHelp)'))).toBe(0);
  });
});

const app = {
  name: 'web',
  state: 'exited',
  imageId: `sha512-${'ab'.repeat(32)}`,
  imageName: 'example.com/web:1',
} as const;
const exited: PodRecord = {
  uuid: parsePodUUID('0b0d2959-9139-48be-a7c5-19a1213c70d6'),
  state: 'exited',
  created: BigInt(Date.now()) * 1_000_000n,
  pid: 42,
  isReady: true,
  isPaused: false,
  apps: [
    { ...app, exitCode: 7 },
    { ...app, name: 'db' },
  ],
};

describe('pods', () => {
  it('are listed with a row for each app', () => {
    expect(podTable([exited], { full: false, legend: true })).toBe(
      'UUID\t\tAPP\tIMAGE NAME\t\tSTATE\tCREATED\tSTARTED\tNETWORKS\n' +
        '0b0d2959\tweb\texample.com/web:1\texited\tnow\t\t\n' +
        '\t\tdb\texample.com/web:1\t\t\t\t\n',
    );
  });

  it('are listed in full with image ids; without apps as -', () => {
    const [row] = podTable([{ ...exited, apps: [] }], { full: true, legend: false }).split('\n');
    expect(row?.split(/\t+/).slice(0, 5)).toEqual([exited.uuid, '-', '-', '-', 'exited']);
    const hostile = { ...exited, apps: [{ ...app, imageName: 'a:\x1b[2J\n' }] };
    expect(podTable([hostile], { full: false, legend: false })).toContain('\ta:\\u001b[2J \t');
    expect(podTable([exited], { full: true, legend: true })).toContain('sha512-abababababab\t');
  });

  it('have a last column of names where one has a name', () => {
    const named = { ...exited, podName: 'front', apps: [app] };
    const other = { ...exited, apps: [app] };
    const rows = podTable([named, other], { full: false, legend: true }).split('\n');
    expect(rows[0]).toMatch(/\tNETWORKS\tNAME$/);
    expect(rows[1]).toMatch(/\tfront$/);
    // Its cell is empty, and there.
    expect(rows[2]).toMatch(/^0b0d2959\t.*\t$/);
  });

  it('that are none make a header, or an empty line', () => {
    expect(podTable([], { full: false, legend: true })).toBe(
      'UUID\tAPP\tIMAGE NAME\tSTATE\tCREATED\tSTARTED\tNETWORKS\n',
    );
    expect(podTable([], { full: false, legend: false })).toBe('\n');
  });

  it('have a status of lines', () => {
    const { created: _, ...record } = exited;
    const pod = { ...record, warnings: [] };
    expect(statusText(pod)).toBe('state=exited\nnetworks=\npid=42\nexited=true\napp-web=7\n');
    expect(statusText({ ...pod, state: 'running' })).toBe('state=running\nnetworks=\npid=42\nexited=false\n');
    expect(statusText({ ...pod, warnings: ['one', 'two \u001b'] })).toMatch(
      /app-web=7\nwarning=one\nwarning=two [^\u001b]+\n$/,
    );
    expect(statusText({ ...pod, state: 'prepared' })).toBe('state=prepared\n');
  });
});
