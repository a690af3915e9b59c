import { expect, it } from 'vitest';
import { formatJson } from '../../../src/cli/json.ts';
import { networkJson, networksText } from '../../../src/cli/pod-networks.ts';
import type { NetworkRecord } from '../../../src/stage0/list.ts';

const network = (netName: string, ip: string, ...addresses: string[]): NetworkRecord => ({
  netName,
  netConf: `/etc/rkt/net.d/${netName}.conf`,
  pluginPath: '/opt/cni/bin/bridge',
  ifName: 'eth0',
  ip,
  args: 'K=V',
  mask: '255.255.255.0',
  addresses,
});

it.each<[NetworkRecord[], string]>([
  [[], ''],
  [[network('default', '172.16.28.2')], 'default:ip4=172.16.28.2'],
  [
    [network('a', '10.0.0.1', 'fd00::1/64', '10.0.0.1/8'), network('b', '10.1.2.3', '10.1.2.3/24')],
    'a:ip6=fd00::1, a:ip4=10.0.0.1, b:ip4=10.1.2.3',
  ],
  [[network('bare', '')], 'bare'],
  [[network('x\u001b[2J', '')], 'x\\u001b[2J'],
])('%# is shown as %j', (networks, text) => {
  expect(networksText(networks)).toBe(text);
});

it("has rkt's fields in JSON, then ours", () => {
  const shown = networkJson({ ...network('a', '10.0.0.1', '10.0.0.1/24'), hostIP: '10.0.0.9', mac: '02::' });
  expect(formatJson(shown)).toBe(
    '{"netName":"a","netConf":"/etc/rkt/net.d/a.conf","pluginPath":"/opt/cni/bin/bridge","ifName":"eth0",' +
      '"ip":"10.0.0.1","args":"K=V","mask":"255.255.255.0","addresses":["10.0.0.1/24"],"mac":"02::"}',
  );
});
