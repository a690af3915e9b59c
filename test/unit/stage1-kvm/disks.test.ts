import { expect, test } from 'vitest';
import { diskArguments } from '../../../stage1-kvm/disks.ts';

test('each disk is an open file of QEMU, which knows its number, and says in the guest who it is', () => {
  const disks = [
    { fd: 40, kind: 'file', serial: 'rkt-0', readOnly: false },
    { fd: 41, kind: 'block', serial: 'rkt-1', readOnly: true },
  ] as const;
  const raw = (index: number, readOnly: string, driver: string) =>
    `driver=raw,node-name=disk${index},read-only=${readOnly},discard=unmap,file.driver=${driver},file.filename=/dev/fdset/${index}`;
  const device = (index: number) =>
    `virtio-blk-pci,drive=disk${index},serial=rkt-${index},werror=report,rerror=report`;
  expect(diskArguments(disks, 9)).toEqual([
    ...['-add-fd', 'fd=9,set=0', '-blockdev', raw(0, 'off', 'file'), '-device', device(0)],
    ...['-add-fd', 'fd=10,set=1', '-blockdev', raw(1, 'on', 'host_device'), '-device', device(1)],
  ]);
  expect(diskArguments([], 9)).toEqual([]);
});

test('what need not outlive the host waits for none of its disks', () => {
  const scratch = { fd: 40, kind: 'file', serial: 'scratch', readOnly: false, isPassing: true } as const;
  expect(diskArguments([scratch], 9)[3]).toMatch(/,cache\.no-flush=on,/);
});
