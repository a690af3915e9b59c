import { beforeAll, describe, expect, test } from 'vitest';
import { PLUGIN_SETS } from '../support/cni-chain.ts';
import { linkOf } from '../support/network-look.ts';
import { expectAnswers, machineAsker, type SitePod, useSite } from '../support/network-site.ts';

// Networks of every version of the specification, one of them an interface of the host itself, in a pod that has them all.

const OURS = PLUGIN_SETS[0];
/** Debian's plugins do not speak the newest. */
const VERSIONS = [undefined, '0.1.0', '0.2.0', '0.3.0', '0.3.1', '0.4.0', '1.0.0', '1.1.0'];

describe.each(PLUGIN_SETS)('by the plugins of $of', (plugins) => {
  const site = useSite(plugins);
  const versions = plugins === OURS ? VERSIONS : VERSIONS.slice(0, -1);
  let pod: SitePod | undefined;
  const started = () => {
    if (pod === undefined) throw new Error('the pod has not started');
    return pod;
  };
  beforeAll(async () => {
    const { host } = site.now;
    await host.ip(
      'link add up1 type veth peer name up2',
      'addr add 10.3.255.1/24 dev up1',
      'link set up1 up',
    );
    const given = { type: 'static', addresses: [{ address: '10.3.255.2/24' }] };
    const device = { type: 'host-device', device: 'up2', ipam: given };
    site.now.network('00-device.conf', { cniVersion: '0.3.1', name: 'device', ...device });
    versions.forEach((cniVersion, index) => {
      const ipam = { type: 'host-local', subnet: `10.3.${index}.0/24` };
      const bridge = { type: 'bridge', bridge: `version${index}`, isGateway: true, ipam };
      site.now.network(`1${index}-version.conf`, { cniVersion, name: `version${index}`, ...bridge });
    });
    const names = versions.map((_, index) => `version${index}`);
    pod = await site.now.pod(`--net=device,${names.join(',')}`);
  });

  test('a pod has a network of each version', async () => {
    const subnets = [255, ...versions.keys()];
    const expected = subnets.map((subnet) => [`tcp 10.3.${subnet}.1 90`, `10.3.${subnet}.2`]);
    await expectAnswers(started(), Object.fromEntries(expected));
    const back = subnets.map((subnet) => [`udp 10.3.${subnet}.2 80`, `10.3.${subnet}.1`]);
    await expectAnswers(machineAsker(site.now.host), Object.fromEntries(back));
    const listed = (await site.now.rkt.list())[0]?.networks?.map(({ netName, ip }) => `${netName} ${ip}`);
    expect(listed).toEqual([
      'device 10.3.255.2',
      ...versions.map((_, index) => `version${index} 10.3.${index}.2`),
    ]);
  });

  test('an interface of the host comes back to it', async () => {
    const { host } = site.now;
    expect(await linkOf(host, 'up2')).toBeUndefined();
    await started().end();
    expect(await linkOf(host, 'up2')).toMatchObject({ ifname: 'up2' });
  });
});
