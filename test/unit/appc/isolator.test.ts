import { describe, expect, test } from 'vitest';
import { refuse } from '../../../src/appc/errors.ts';
import { findIsolator } from '../../../src/appc/isolator.ts';
import { readIsolators } from '../../../src/appc/isolator-reader.ts';
import { documentCursor } from '../../../src/appc/json-document.ts';

const read = (...isolators: readonly unknown[]) => readIsolators(documentCursor(isolators, refuse));

describe('known isolators', () => {
  test.each([
    ['resource/memory', 'resource', { limit: '1G' }, { default: false, limit: '1G' }],
    [
      'resource/memory',
      'resource',
      { request: '1', limit: 2048 },
      { default: false, request: '1', limit: '2048' },
    ],
    [
      'resource/cpu',
      'resource',
      { request: '250m', limit: '500m' },
      { default: false, request: '250m', limit: '500m' },
    ],
    ['resource/block-bandwidth', 'resource', { default: true, limit: '2M' }, { default: true, limit: '2M' }],
    ['os/linux/capabilities-retain-set', 'capabilities', { set: ['CAP_KILL'] }, { set: ['CAP_KILL'] }],
    [
      'os/linux/seccomp-retain-set',
      'seccomp',
      { set: ['@appc.io/all'], errno: '' },
      { set: ['@appc.io/all'] },
    ],
    [
      'os/linux/seccomp-remove-set',
      'seccomp',
      { set: ['mount'], errno: 'E2BIG' },
      { set: ['mount'], errno: 'E2BIG' },
    ],
    ['os/linux/no-new-privileges', 'no-new-privileges', true, true],
    ['os/linux/cpu-shares', 'cpu-shares', 1024, 1024],
    ['os/linux/oom-score-adj', 'oom-score-adj', -1000, -1000],
    ['coreos.com/rkt/pids-limit', 'pids-limit', 20, 20],
    [
      'coreos.com/rkt/rlimits',
      'rlimits',
      { nofile: { soft: 10, hard: 'unlimited' } },
      { nofile: { soft: 10, hard: 'unlimited' } },
    ],
    ['os/unix/sysctl', 'sysctl', { 'net.ipv4.ip_forward': '1' }, { 'net.ipv4.ip_forward': '1' }],
    ['example.com/other', 'unknown', { a: [1, null] }, { a: [1, null] }],
    ['os/linux/apparmor-profile', 'unknown', 'x', 'x'],
  ])('%s (%s) %j', (name, kind, value, expected) => {
    expect(read({ name, value, extra: 1 })).toEqual([{ kind, name, value: expected }]);
  });

  test('a SELinux context keeps colons in its level only', () => {
    const value = { user: 'system_u', role: 'system_r', type: 'svirt_t', level: 's0:c1,c2' };
    expect(read({ name: 'os/linux/selinux-context', value })).toMatchObject([{ kind: 'selinux', value }]);
    expect(() => read({ name: 'os/linux/selinux-context', value: { ...value, role: 'a:b' } })).toThrow(
      '[0].value.role: expected a part without a colon, got "a:b"',
    );
  });
});

describe('refused', () => {
  test.each([
    [{ name: 'resource/memory' }, '[0].value: is required'],
    [{ name: 'coreos.com/rkt/rlimits', value: { files: {} } }, '[0].value: "files" is not one of as, core,'],
    [
      { name: 'coreos.com/rkt/rlimits', value: { core: { soft: 'unlimited', hard: 5 } } },
      '[0].value.core: the soft limit unlimited is more than the hard one, 5',
    ],
    [
      { name: 'coreos.com/rkt/rlimits', value: { core: { soft: 1, hard: 'much' } } },
      '[0].value.core.hard: expected one of unlimited, got "much"',
    ],
    [{ name: 'coreos.com/rkt/pids-limit', value: 0 }, '[0].value: expected an integer from 1 to 4194304'],
    [{ name: 'resource/memory', value: { default: true } }, '[0].value.default: must be false'],
    [{ name: 'resource/block-iops', value: { limit: '1' } }, '[0].value.default: must be true'],
    [
      { name: 'resource/network-bandwidth', value: { default: true, request: '1' } },
      '[0].value.request: must not be set',
    ],
    [{ name: 'resource/cpu', value: { limit: '-1' } }, /^\[0\]\.value\.limit: expected a quantity/],
    [{ name: 'os/linux/capabilities-retain-set', value: { set: [] } }, '[0].value.set: must not be empty'],
    [{ name: 'os/linux/seccomp-retain-set', value: {} }, '[0].value.set: must not be empty'],
    [
      { name: 'os/linux/seccomp-retain-set', value: { set: ['x'], errno: 'eperm' } },
      /^\[0\]\.value\.errno: expected/,
    ],
    [{ name: 'os/linux/no-new-privileges', value: 'true' }, '[0].value: expected true or false, got "true"'],
    [{ name: 'os/linux/cpu-shares', value: 1 }, '[0].value: expected an integer from 2 to 262144, got 1'],
    [
      { name: 'os/linux/oom-score-adj', value: 1001 },
      '[0].value: expected an integer from -1000 to 1000, got 1001',
    ],
    [{ name: 'os/unix/sysctl', value: { a: 1 } }, '[0].value.a: expected a string, got 1'],
    [{ name: 'Bad Name', value: 1 }, /^\[0\]\.name: expected an AC identifier/],
  ])('%j', (isolator, message) => {
    expect(() => read(isolator)).toThrow(message);
  });
});

describe('together', () => {
  const set = { set: ['x'] };
  const seccompRetain = { name: 'os/linux/seccomp-retain-set', value: set };
  const capsRetain = { name: 'os/linux/capabilities-retain-set', value: set };
  const shares = { name: 'os/linux/cpu-shares', value: 2 };

  test.each([
    [seccompRetain, seccompRetain],
    [seccompRetain, { name: 'os/linux/seccomp-remove-set', value: set }],
    [capsRetain, { name: 'os/linux/capabilities-remove-set', value: set }],
    [shares, shares],
  ])('%j excludes %j', (first, second) => {
    expect(() => read(first, second)).toThrow(`${first.name} cannot stand together with ${second.name}`);
  });

  test('of several limits the last counts', () => {
    const isolators = read(
      { name: 'resource/memory', value: { limit: '1G' } },
      { name: 'resource/memory', value: { limit: '2G' } },
      { name: 'resource/cpu', value: { limit: '1' } },
      capsRetain,
      capsRetain,
    );
    expect(findIsolator(isolators, 'resource', 'resource/memory')?.value.limit).toBe('2G');
    expect(findIsolator(isolators, 'capabilities')?.value.set).toEqual(['x']);
    expect(findIsolator(isolators, 'seccomp')).toBeUndefined();
  });
});
