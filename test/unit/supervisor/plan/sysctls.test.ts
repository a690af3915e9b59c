import { describe, expect, it } from 'vitest';
import { parseIsolator } from '../../../../src/appc/index.ts';
import { planSysctls, refusedSysctls, sysctlPath } from '../../../../src/supervisor/plan/sysctls.ts';

it.each([
  ['net.core.somaxconn', 'net/core/somaxconn'],
  ['net/core/somaxconn', 'net/core/somaxconn'],
  ['net.ipv4.conf.eth0/1.forwarding', 'net/ipv4/conf/eth0.1/forwarding'],
  ['net/ipv4/conf/eth0.1/forwarding', 'net/ipv4/conf/eth0.1/forwarding'],
  ['vm', 'vm'],
])('the setting %s is at %s', (key, path) => {
  expect(sysctlPath(key)).toBe(path);
});

describe('the settings of a pod', () => {
  const own = { ownKernel: true, hostNetwork: false, hostIpc: false };
  const shared = { ownKernel: false, hostNetwork: false, hostIpc: false };
  const isolators = (...keys: readonly string[]) => [
    parseIsolator({ name: 'os/unix/sysctl', value: Object.fromEntries(keys.map((key) => [key, '1'])) }),
  ];

  it('are any with a kernel of its own', () => {
    const wanted = isolators('vm.swappiness', 'net.ipv4.ip_forward');
    expect(planSysctls(wanted, own).map(({ path }) => path)).toEqual([
      'vm/swappiness',
      'net/ipv4/ip_forward',
    ]);
    expect(refusedSysctls(wanted, own)).toEqual([]);
  });

  it('are those of its namespaces otherwise', () => {
    const wanted = isolators(
      'vm.swappiness',
      'net.ipv4.ip_forward',
      'kernel.shmmax',
      'fs.mqueue.msg_max',
      'kernel.panic',
    );
    expect(planSysctls(wanted, shared).map(({ path }) => path)).toEqual([
      ...['net/ipv4/ip_forward', 'kernel/shmmax', 'fs/mqueue/msg_max'],
    ]);
    expect(refusedSysctls(wanted, shared)).toEqual([
      'pod: isolator os/unix/sysctl: "vm.swappiness" is not set: it is of the kernel of the host, which the pod shares',
      'pod: isolator os/unix/sysctl: "kernel.panic" is not set: it is of the kernel of the host, which the pod shares',
    ]);
    expect(planSysctls(isolators('net.ipv4.ip_forward'), { ...shared, hostNetwork: true })).toEqual([]);
    expect(planSysctls(isolators('kernel.shmmax'), { ...shared, hostIpc: true })).toEqual([]);
  });

  it.each([
    'net/../kernel/panic',
    '../../etc/passwd',
    '/etc/passwd',
    'net',
    '',
    'net//x',
    'net.ipv4.a b',
    'net/./x',
    'net/x\n',
  ])('are none by %j', (key) => {
    expect(planSysctls(isolators(key), own)).toEqual([]);
    expect(refusedSysctls(isolators(key), own)).toHaveLength(1);
  });
});
