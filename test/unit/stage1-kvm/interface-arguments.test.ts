import { describe, expect, it } from 'vitest';
import { interfaceArguments, queuesFor } from '../../../stage1-kvm/interface-arguments.ts';

const [FIRST, SECOND] = ['02:00:00:00:00:01', '02:00:00:00:00:02'];
const eth0 = { mac: FIRST, taps: [30], vhosts: [] };

describe('interfaceArguments', () => {
  it('says nothing without interfaces', () => {
    expect(interfaceArguments([], 8, 'kvm')).toEqual([]);
  });

  it('names the fd, and the hardware address, and wants no ROM', () => {
    expect(interfaceArguments([eth0], 8, 'kvm')).toEqual([
      '-netdev',
      'tap,id=net0,fd=8',
      '-device',
      `virtio-net-pci,netdev=net0,mac=${FIRST},romfile=`,
    ]);
  });

  it('counts the fds of several interfaces and queues as QEMU has them', () => {
    const eth1 = { mac: SECOND, taps: [40, 41], vhosts: [42, 43] };
    expect(interfaceArguments([{ ...eth0, vhosts: [31] }, eth1], 8, 'kvm')).toEqual([
      ...['-netdev', 'tap,id=net0,fd=8,vhost=on,vhostfd=9'],
      ...['-device', `virtio-net-pci,netdev=net0,mac=${FIRST},romfile=`],
      ...['-netdev', 'tap,id=net1,fds=10:11,vhost=on,vhostfds=12:13'],
      ...['-device', `virtio-net-pci,netdev=net1,mac=${SECOND},mq=on,vectors=6,romfile=`],
    ]);
  });

  it('has no events in emulation, but for a vhost', () => {
    const devices = (vhosts: readonly number[]) => interfaceArguments([{ ...eth0, vhosts }], 8, 'tcg')[3];
    expect(devices([])).toBe(`virtio-net-pci,netdev=net0,mac=${FIRST},ioeventfd=off,romfile=`);
    expect(devices([31])).toBe(`virtio-net-pci,netdev=net0,mac=${FIRST},romfile=`);
  });
});

describe('queuesFor', () => {
  it.each([
    [1, 1],
    [2, 2],
    [64, 8],
  ])('%i processors are %i queues', (cpus, queues) => {
    expect(queuesFor(cpus)).toBe(queues);
  });
});
