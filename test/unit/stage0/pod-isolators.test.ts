import { expect, test } from 'vitest';
import { podIsolators } from '../../../src/stage0/pod-isolators.ts';

test('settings of the kernel are pairs', () => {
  const [sysctl] = podIsolators({ sysctls: ['net.core.somaxconn=512', 'kernel.msgmax=a=b'] });
  expect(sysctl?.value).toEqual({ 'net.core.somaxconn': '512', 'kernel.msgmax': 'a=b' });
});

test('rates are of all devices and interfaces', () => {
  const request = { sysctls: [], blockBandwidth: '10M', blockIops: '100', networkBandwidth: '64Ki' };
  expect(podIsolators(request).map(({ name, value }) => [name, value])).toEqual([
    ['resource/block-bandwidth', { default: true, limit: '10M' }],
    ['resource/block-iops', { default: true, limit: '100' }],
    ['resource/network-bandwidth', { default: true, limit: '64Ki' }],
  ]);
  expect(podIsolators({ sysctls: [] })).toEqual([]);
});

test.each([
  [{ sysctls: ['net.core.somaxconn'] }, '--sysctl: "net.core.somaxconn" is not NAME=VALUE'],
  [{ sysctls: ['net.core.somaxconn='] }, '--sysctl: "net.core.somaxconn=" is not NAME=VALUE'],
  [{ sysctls: ['a=1\n2'] }, '--sysctl: "a=1\\n2" is not NAME=VALUE'],
  [{ sysctls: [], blockBandwidth: '10m' }, '--block-bandwidth: 10m is less than 4096 bytes a second'],
  [{ sysctls: [], blockIops: '0' }, '--block-iops: 0 is less than 1 operations a second'],
  [{ sysctls: [], networkBandwidth: '0' }, '--network-bandwidth: 0 is less than 4096 bytes a second'],
  [{ sysctls: [], networkBandwidth: '-1M' }, '--network-bandwidth: expected a quantity'],
])('%j is refused', (request, message) => {
  expect(() => podIsolators(request)).toThrow(message);
});
