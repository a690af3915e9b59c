import { expect, test } from 'vitest';
import { parseListeners, parseSctpListeners } from '../../../src/net/listeners.ts';

const HEADER =
  '  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode             ';
const line = (local: string, remote: string, state: string) =>
  `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000     0        0 40733 1 0 100 0 0 10 0`;
const V4 = '00000000:0000';
const ZEROS = '00000000000000000000000000000000';
const V6 = `${ZEROS}:0000`;

test('sockets that listen are told from those that are connected', () => {
  const text = [
    HEADER,
    line('0100007F:1F90', V4, '0A'),
    line('00000000:0016', V4, '0A'),
    line('0100007F:1F91', '0100007F:C350', '01'),
    '',
  ].join('\n');
  expect(parseListeners('tcp', text)).toEqual([
    { protocol: 'tcp', hostIP: '127.0.0.1', hostPort: 8080, count: 1 },
    { protocol: 'tcp', hostIP: '0.0.0.0', hostPort: 22, count: 1 },
  ]);
});

test('a UDP socket that is not connected takes from anybody', () => {
  const text = [HEADER, line('3500007F:0035', V4, '07'), line('0100007F:1F91', '0100007F:0035', '01')];
  expect(parseListeners('udp', text.join('\n'))).toEqual([
    { protocol: 'udp', hostIP: '127.0.0.53', hostPort: 53, count: 1 },
  ]);
});

test('addresses of IPv6: the one of all is of IPv4 as well, and others may be IPv4 addresses', () => {
  const text = [
    HEADER,
    line(`${ZEROS}:0050`, V6, '0A'),
    line('B80D0120000000000000000001000000:0051', V6, '0A'),
    line('0000000000000000FFFF00000200000A:0052', V6, '0A'),
    line('00000000000000000000000001000000:0053', V6, '0A'),
  ];
  expect(parseListeners('tcp', text.join('\n'))).toEqual([
    { protocol: 'tcp', hostPort: 80, count: 1 },
    { protocol: 'tcp', hostIP: '2001:db8::1', hostPort: 81, count: 1 },
    { protocol: 'tcp', hostIP: '10.0.0.2', hostPort: 82, count: 1 },
    { protocol: 'tcp', hostIP: '::1', hostPort: 83, count: 1 },
  ]);
});

test('what is no list of sockets has none', () => {
  for (const text of ['', HEADER, 'x'.repeat(100), line('0100007F:0000', V4, '0A')])
    expect(parseListeners('tcp', text)).toEqual([]);
});

test('SCTP has each address of a socket', () => {
  const text = [
    ' ENDPT     SOCK   STY SST HBKT LPORT   UID INODE LADDRS',
    '0000000000000000 0000000000000000 2   10  41   9899      0 123456 127.0.0.1 10.0.0.2 ',
    '0000000000000000 0000000000000000 2   7   42   9900      0 123457 0.0.0.0 ',
    '',
  ];
  expect(parseSctpListeners(text.join('\n'))).toEqual([
    { protocol: 'sctp', hostIP: '127.0.0.1', hostPort: 9899, count: 1 },
    { protocol: 'sctp', hostIP: '10.0.0.2', hostPort: 9899, count: 1 },
  ]);
});
