import { expect, test } from 'vitest';
import { PLUGIN_SETS } from '../support/cni-chain.ts';
import { LEASES, serveLeases } from '../support/lease-server.ts';
import { NetworkSite } from '../support/network-site.ts';
import { eventually } from '../support/polling.ts';

// The daemon of the plugin dhcp asks for more time in the pod's namespace, where all that comes for the machine is led past it.

const NETWORK = {
  cniVersion: '1.0.0',
  name: 'leased',
  type: 'bridge',
  bridge: 'leased0',
  ipam: { type: 'dhcp' },
};

test.each(PLUGIN_SETS)(
  'a lease that the daemon of $of keeps goes on while the machine runs',
  async (plugins) => {
    const site = await NetworkSite.start(plugins);
    try {
      site.network('10-leased.conf', NETWORK);
      // More time is asked for after four seconds.
      const programs = await serveLeases(site.host, 'leased0', plugins.directory, '--dhcp-option-force=58,4');
      const [server, daemon] = programs;
      const pod = await site.pod('--net=leased');
      const requests = () =>
        [...(server?.output ?? '').matchAll(/(\d+) DHCPREQUEST/g)].map(([, transaction]) => transaction);
      // Ours asks in one transaction until it is answered, Debian's in a new one each time, and says so.
      await eventually('more time is asked for twice', () => new Set(requests()).size >= 3);
      expect(daemon?.output).not.toContain('no DHCP packet received');
      const address = /inet (\S+)\//.exec(await pod.shell('ip -o addr show dev eth0'))?.[1] ?? 'none';
      expect(await site.host.run('cat', LEASES)).toContain(` ${address} `);
      await pod.end();
      expect(pod.command.stderr).not.toContain('left to gc');
      for (const program of programs) await program[Symbol.asyncDispose]();
    } finally {
      await site.close();
    }
  },
);
