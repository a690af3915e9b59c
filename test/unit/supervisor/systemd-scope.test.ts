import { describe, expect, it } from 'vitest';
import { scopeArguments, sliceOf } from '../../../src/supervisor/systemd-scope.ts';
import { divisionOf } from '../../../src/supervisor/unified-cgroup.ts';

const uuid = '6733ba1e-2f74-4bd5-a8c3-2d5ad2f84e3d';
const request = { uuid, pid: 4711, slice: 'user-0.slice', limits: [] };

describe('the request for a scope', () => {
  it('is one call of busctl, each value after its type', () => {
    expect(scopeArguments(request)).toEqual([
      ...['--system', '--quiet', '--timeout=5', '--allow-interactive-authorization=no', '--', 'call'],
      ...['org.freedesktop.systemd1', '/org/freedesktop/systemd1', 'org.freedesktop.systemd1.Manager'],
      ...['StartTransientUnit', 'ssa(sv)a(sa(sv))', `rkt-${uuid}.scope`, 'fail', '5'],
      ...['Description', 's', `rkt pod ${uuid}`],
      ...['Slice', 's', 'user-0.slice'],
      ...['PIDs', 'au', '1', '4711'],
      ...['Delegate', 'b', 'true'],
      ...['CollectMode', 's', 'inactive-or-failed'],
      '0',
    ]);
  });

  it('takes over the tightest limits of the groups that the process leaves', () => {
    const limits = [
      { 'memory.max': 'max\n', 'memory.swap.max': undefined, 'pids.max': '100\n', 'cpu.max': 'max 100000\n' },
      { 'memory.max': '1048576\n', 'pids.max': '50\n', 'cpu.max': '150000 100000\n' },
    ];
    const text = scopeArguments({ ...request, limits }).join(' ');
    expect(text).toContain(' fail 8 ');
    expect(text).toMatch(/ MemoryMax t 1048576 TasksMax t 50 CPUQuotaPerSecUSec t 1500000 0$/);
  });

  it('asks for no limit that no group has', () => {
    const limits = [{ 'memory.max': 'max', 'pids.max': 'max', 'cpu.max': 'max 100000' }, {}];
    expect(scopeArguments({ ...request, limits })).toEqual(scopeArguments(request));
  });
});

it.each([
  ['/user.slice/user-0.slice/session-3.scope', 'user-0.slice'],
  ['/user.slice/user-0.slice/user@0.service/app.slice/a.service', 'user-0.slice'],
  ['/system.slice', 'system.slice'],
  ['/init.scope', '-.slice'],
  ['/', '-.slice'],
])('the slice of %s is %s', (path, slice) => {
  expect(sliceOf(path)).toBe(slice);
});

describe('whether a v2 group can be divided', () => {
  const unit = { path: '/system.slice/nomad.service', directory: '/', isRoot: false };
  const made = { ...unit, path: '/system.slice/nomad.service/task' };
  it.each([
    [{ ...unit, isRoot: true, isAlone: false, isDelegated: false }, 'below'],
    [{ ...unit, isAlone: true, isDelegated: true }, 'beside'],
    [{ ...unit, isAlone: true, isDelegated: false }, 'scope'],
    [{ ...unit, isAlone: false, isDelegated: true }, 'scope'],
    [{ ...made, isAlone: true, isDelegated: false }, 'beside'],
    [{ ...made, isAlone: false, isDelegated: false }, 'scope'],
  ] as const)('%o: %s', (group, division) => {
    expect(divisionOf(group)).toBe(division);
  });
});
