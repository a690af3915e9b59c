import { describe, expect, test } from 'vitest';
import { parseIsolator } from '../../../src/appc/index.ts';
import { isolated } from '../../../src/stage0/isolator-request.ts';

const own = (name: string, value: unknown) => parseIsolator({ name, value });
const named = (isolators: readonly { readonly name: string; readonly value: unknown }[]) =>
  Object.fromEntries(isolators.map(({ name, value }) => [name, value]));

describe('isolators by flags', () => {
  test('are added to those of the image', () => {
    const others = own('example.com/other', 1);
    const request = { memory: '64Mi', cpu: '500m', cpuShares: '512', pidsLimit: '20', oomScoreAdj: '-5' };
    expect(named(isolated([others], request))).toEqual({
      'example.com/other': 1,
      'resource/memory': { default: false, request: '64Mi', limit: '64Mi' },
      'resource/cpu': { default: false, request: '500m', limit: '500m' },
      'os/linux/cpu-shares': 512,
      'coreos.com/rkt/pids-limit': 20,
      'os/linux/oom-score-adj': -5,
    });
    expect(isolated([others], {})).toEqual([others]);
  });

  test('take the place of those of the image, capabilities whichever way the image has them', () => {
    const image = [
      own('os/linux/cpu-shares', 4),
      own('os/linux/capabilities-remove-set', { set: ['CAP_KILL'] }),
    ];
    expect(
      named(isolated(image, { cpuShares: '8', capsRetain: ['CAP_CHOWN,CAP_FOWNER', 'CAP_KILL'] })),
    ).toEqual({
      'os/linux/cpu-shares': 8,
      'os/linux/capabilities-retain-set': { set: ['CAP_CHOWN', 'CAP_FOWNER', 'CAP_KILL'] },
    });
  });

  test('limit processes in what they name, and leave the rest to the image', () => {
    const image = [
      own('coreos.com/rkt/rlimits', { core: { soft: 0, hard: 0 }, nofile: { soft: 1, hard: 2 } }),
    ];
    const ulimits = ['nofile=10:20', 'stack=unlimited', 'memlock=5:-1'];
    expect(isolated(image, { ulimits })).toEqual([
      own('coreos.com/rkt/rlimits', {
        core: { soft: 0, hard: 0 },
        nofile: { soft: 10, hard: 20 },
        stack: { soft: 'unlimited', hard: 'unlimited' },
        memlock: { soft: 5, hard: 'unlimited' },
      }),
    ]);
  });
});

test.each([
  [{ memory: '128m' }, '--memory: 128m is lower than 4 KiB: were milli-bytes meant, or mebibytes (Mi)?'],
  [{ cpu: 'two' }, '--cpu: '],
  [{ cpuShares: '1' }, '--cpu-shares: expected an integer from 2 to 262144, got 1'],
  [{ cpuShares: '0x10' }, '--cpu-shares: expected an integer from 2 to 262144, got "0x10"'],
  [{ oomScoreAdj: '1001' }, '--oom-score-adj: expected an integer from -1000 to 1000, got 1001'],
  [{ cpu: '0' }, '--cpu: 0 is less than 1m'],
  [{ cpuShares: '9'.repeat(400) }, '--cpu-shares: expected an integer from 2 to 262144, got "999'],
  [{ pidsLimit: '0' }, '--pids-limit: expected an integer from 1 to 4194304, got 0'],
  [
    { capsRetain: ['CAP_KILL'], capsRemove: ['CAP_KILL'] },
    '--caps-retain and --caps-remove are mutually exclusive',
  ],
  [{ capsRemove: [''] }, '--caps-remove: '],
  [{ ulimits: ['files=3'] }, '--ulimit: "files=3": names are as, core, cpu,'],
  [{ ulimits: ['nofile'] }, '--ulimit: "nofile": it is not NAME=SOFT or NAME=SOFT:HARD'],
  [{ ulimits: ['nofile=3:2'] }, '--ulimit: "nofile=3:2": the soft limit is more than the hard one'],
  [{ ulimits: ['nofile=many'] }, '--ulimit: "nofile=many": "many" is neither a number nor "unlimited"'],
])('%j is refused', (request, message) => {
  expect(() => isolated([], request)).toThrow(message);
});
