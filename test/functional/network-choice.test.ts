import { beforeAll, describe, expect, test } from 'vitest';
import { expectAnswers, FAR, machineAsker, type SitePod, useSite } from '../support/network-site.ts';

const site = useSite();

describe('--net=all', () => {
  let pod: SitePod | undefined;
  const all = () => {
    if (pod === undefined) throw new Error('the pod has not started');
    return pod;
  };
  beforeAll(async () => {
    const ipam = { type: 'host-local', ranges: [[{ subnet: 'fd00:6::/64' }]] };
    const bridge = { type: 'bridge', bridge: 'six0', isGateway: true, ipam };
    site.now.network('10-six.conf', { cniVersion: '1.0.0', name: 'six', ...bridge });
    pod = await (await site.now.run('--net=all', await site.now.peerImage(), '--cpu=2')).served();
  });

  test('is the configured networks, and after them the built-in ones', async () => {
    const shown = await all().shell('ip -o addr show scope global; ip route');
    const addresses = [...shown.matchAll(/(eth\d) +inet6? (\S+)/g)].map(([, name, address]) => [
      name,
      address,
    ]);
    expect(addresses).toEqual([
      ['eth0', 'fd00:6::2/64'],
      ['eth1', '172.16.28.2/24'],
      ['eth2', '172.31.0.2/16'],
    ]);
    expect(shown.match(/^default .*/gm)).toEqual([expect.stringContaining('via 172.16.28.1 dev eth1')]);
  });

  test('leads outside by the default network alone', async () => {
    await expectAnswers(all(), {
      'tcp fd00:6::1 90': 'fd00:6::2',
      'tcp 172.16.28.1 90': '172.16.28.2',
      'tcp 172.31.0.1 90': '172.31.0.2',
      [`tcp ${FAR.v4} 90`]: '192.0.2.1',
      [`tcp ${FAR.v4} 90 from 172.31.0.2`]: 'silence',
      [`tcp ${FAR.v6} 90`]: 'ENETUNREACH',
    });
    await expectAnswers(machineAsker(site.now.host), {
      'tcp fd00:6::2 80': 'fd00:6::1',
      'tcp 172.31.0.2 80': '172.31.0.1',
    });
  });

  test('has as many queues for each interface as the pod has processors', async () => {
    expect(await all().shell('nproc; ls -d /sys/class/net/eth?/queues/tx-* | wc -l')).toBe('2\n6\n');
  });
});
