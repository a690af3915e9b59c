import { expect, it } from 'vitest';
import { formatNetInfo, type NetInfo, parseNetInfo } from '../../../src/abi/net-info.ts';

const INFO: NetInfo = {
  netName: 'x',
  netConf: '/n/x.conf',
  pluginPath: '/opt/cni/bin/ptp',
  ifName: 'eth0',
  ip: '10.1.2.3',
  args: '',
  mask: '255.255.255.0',
  hostIP: '10.1.2.1',
  addresses: ['10.1.2.3/24', 'fd00::3/64'],
  mac: '02:00:00:00:00:01',
};

it('is read as it was written', () => {
  const { hostIP: _hostIP, mac: _mac, ...bare } = INFO;
  expect(parseNetInfo(formatNetInfo([INFO, bare]))).toEqual([INFO, bare]);
});

it("reads rkt's, which knows less", () => {
  const text =
    '[{"netName":"default","netConf":"net/99-default.conf","ip":"172.16.28.2","mask":"255.255.255.0"}]';
  expect(parseNetInfo(text)).toMatchObject([
    { netName: 'default', ip: '172.16.28.2', ifName: '', addresses: [] },
  ]);
  expect(parseNetInfo('null')).toEqual([]);
});

it.each(['{}', '[5]', '[{}]', '[{"netName":"x","ip":5}]', '[{"netName":"x","addresses":[5]}]', '{'])(
  '%s is refused',
  (text) => {
    expect(() => parseNetInfo(text)).toThrow();
  },
);
