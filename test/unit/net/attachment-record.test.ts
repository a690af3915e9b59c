import { expect, it } from 'vitest';
import {
  type AttachmentRecord,
  attachmentFile,
  formatAttachmentRecord,
  parseAttachmentRecord,
} from '../../../src/net/attachment-record.ts';
import { parseNetworkFile } from '../../../src/net/network-list.ts';

const RECORD: AttachmentRecord = {
  list: parseNetworkFile(
    '/n/x.conflist',
    '{"cniVersion":"0.4.0","name":"x","disableGC":true,"plugins":[{"type":"ptp","ipam":{"a":[1]}}]}',
  ),
  args: 'IP=10.1.2.3',
  ifName: 'eth0',
  netnsInode: '4026532008',
  cniPath: ['/opt/cni/bin', '/usr/lib/cni'],
  phase: 'adding',
  result: undefined,
  runtimeConfig: {},
};

it.each<Partial<AttachmentRecord>>([
  {},
  { hostNetns: '4026531840', phase: 'added' },
  { runtimeConfig: { portMappings: [{ hostPort: 80, containerPort: 8080, protocol: 'tcp' }], mac: '02::1' } },
  {
    result: {
      interfaces: [{ name: 'eth0', mac: '02:00:00:00:00:01', sandbox: '/proc/5/ns/net', mtu: 1400 }],
      ips: [{ address: '10.1.2.3/24', gateway: '10.1.2.1', interface: 0 }],
      routes: [{ dst: '0.0.0.0/0', gw: '10.1.2.1', table: 7 }],
      dns: { nameservers: ['10.1.2.1'] },
    },
  },
])('is read as it was written: %j', (part) => {
  const record = { ...RECORD, ...part };
  expect(parseAttachmentRecord(formatAttachmentRecord(record))).toEqual(record);
});

it.each([
  [{ phase: 'gone' }, 'attachment.phase'],
  [{ list: { ...RECORD.list, plugins: ['ptp'] } }, 'attachment.list.plugins[0]'],
  [{ list: { ...RECORD.list, cniVersion: '7' } }, 'attachment.list.cniVersion'],
  [{ ifName: 5 }, 'attachment.ifName'],
  [{ runtimeConfig: [] }, 'attachment.runtimeConfig'],
])('%j is refused', (part, message) => {
  expect(() => parseAttachmentRecord(JSON.stringify({ ...RECORD, ...part }))).toThrow(message);
});

it('is in a file that is sorted by its interface', () => {
  expect([attachmentFile(2, RECORD), attachmentFile(10, RECORD)]).toEqual(['02-x.json', '10-x.json']);
});
