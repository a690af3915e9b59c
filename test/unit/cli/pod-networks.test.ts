import { expect, it } from 'vitest';
import { parsePodUUID } from '../../../src/appc/index.ts';
import { formatJson } from '../../../src/cli/json.ts';
import { networksJson, networksText } from '../../../src/cli/pod-networks.ts';
import type { NetworkRecord, PodRecord } from '../../../src/stage0/list.ts';

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

const POD: PodRecord = {
  uuid: parsePodUUID('6733c088-a507-4694-aabf-51ddfb2df0b4'),
  state: 'running',
  isReady: true,
  isPaused: false,
  apps: [],
};

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
  const known = { ...network('a', '10.0.0.1', '10.0.0.1/24'), hostIP: '10.0.0.9', mac: '02::' };
  expect(formatJson(networksJson({ ...POD, networks: [known] }) ?? null)).toBe(
    '[{"netName":"a","netConf":"/etc/rkt/net.d/a.conf","pluginPath":"/opt/cni/bin/bridge","ifName":"eth0",' +
      '"ip":"10.0.0.1","args":"K=V","mask":"255.255.255.0","addresses":["10.0.0.1/24"],"mac":"02::"}]',
  );
});

it('says nothing in JSON of none', () => {
  expect([networksJson(POD), networksJson({ ...POD, networks: [] })]).toEqual([undefined, undefined]);
});
