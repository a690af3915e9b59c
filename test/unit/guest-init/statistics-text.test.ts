import { expect, test } from 'vitest';
import { movedByCalls, movedByDevices, parseInterfaces } from '../../../guest-init/statistics-text.ts';
import { flatNumbers } from '../../../src/native/flat-text.ts';

test('numbers, a line each', () => {
  const text = 'usage_usec 123\nMemTotal:       604248 kB\nrchar: 7\nno number\n\n';
  expect([...flatNumbers(text)]).toEqual([
    ['usage_usec', 123],
    ['MemTotal', 604248],
    ['rchar', 7],
  ]);
});

test('what all devices have moved; nothing of a group without any', () => {
  const text =
    '254:0 rbytes=10 wbytes=20 rios=1 wios=1 dbytes=0 dios=0\n254:16 rbytes=1 wbytes=2 rios=1 wios=1\n';
  expect(movedByDevices(text)).toEqual({ readBytes: 11, writtenBytes: 22 });
  expect(movedByDevices('')).toBeUndefined();
  expect(movedByDevices('254:0 \n')).toBeUndefined();
});

test('what the calls of several processes have moved', () => {
  const io = (read: number, written: number) =>
    `rchar: ${read}\nwchar: ${written}\nsyscr: 9\nread_bytes: 4096\n`;
  expect(movedByCalls([io(1, 2), io(10, 20)])).toEqual({ readBytes: 11, writtenBytes: 22 });
  expect(movedByCalls([])).toEqual({ readBytes: 0, writtenBytes: 0 });
});

test('what has gone through interfaces', () => {
  const text = [
    'Inter-|   Receive                                                |  Transmit',
    ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs',
    '    lo:     504       6    0    0    0     0          0         0      504       6    0    0    0     0       0          0',
    '  eth0:100 2 0 0 0 0 0 0 300 4 0 0 0 0 0 0',
    '',
  ].join('\n');
  expect(parseInterfaces(text)).toEqual([
    { name: 'lo', receivedBytes: 504, receivedPackets: 6, sentBytes: 504, sentPackets: 6 },
    { name: 'eth0', receivedBytes: 100, receivedPackets: 2, sentBytes: 300, sentPackets: 4 },
  ]);
});
