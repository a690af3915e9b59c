import type { NetworkHost } from './network-host.ts';

/** What a machine's network has, in the words of `ip`, without what the kernel adds by itself. */

/** `10.1.2.3/24` of an interface; those of the link alone are left out. */
export async function addressesOf(host: NetworkHost, name: string): Promise<string[]> {
  const [listed] = JSON.parse(await host.run('ip', '-j', 'addr', 'show', 'dev', name)) as readonly {
    readonly addr_info: readonly {
      readonly local: string;
      readonly prefixlen: number;
      readonly scope: string;
    }[];
  }[];
  const all = (listed?.addr_info ?? []).filter(({ scope }) => scope !== 'link');
  return all.map(({ local, prefixlen }) => `${local}/${prefixlen}`);
}

/** `default via 10.1.2.1 dev eth0` and others, without who made them; those of links' own addresses are left out. */
export async function routesOf(host: NetworkHost): Promise<string[]> {
  const listed = [await host.run('ip', '-4', 'route'), await host.run('ip', '-6', 'route')]
    .join('\n')
    .split('\n');
  return listed
    .filter((line) => line.trim() !== '' && !/^(fe80::|multicast)/.test(line))
    .map((line) =>
      line.replace(/ proto \w+| pref \w+| metric (256|1024)| linkdown| scope (host|link)/g, '').trim(),
    )
    .sort();
}

export interface ShownLink {
  readonly ifname: string;
  readonly address: string;
  readonly mtu: number;
  readonly master?: string;
  readonly flags: readonly string[];
  readonly promiscuity: number;
  readonly linkinfo?: {
    readonly info_kind?: string;
    readonly info_data?: Readonly<Record<string, unknown>>;
    readonly info_slave_data?: { readonly hairpin: boolean; readonly isolated: boolean };
  };
}

/** All but the loopback. */
export async function linksOf(host: NetworkHost): Promise<ShownLink[]> {
  const listed = JSON.parse(await host.run('ip', '-j', '-d', 'link')) as readonly ShownLink[];
  return listed.filter(({ ifname }) => ifname !== 'lo');
}

export async function linkOf(host: NetworkHost, name: string): Promise<ShownLink | undefined> {
  return (await linksOf(host)).find(({ ifname }) => ifname === name);
}

/** The addresses that `host-local` has given away. */
export async function leasesOf(host: NetworkHost, network = 'tested'): Promise<string[]> {
  const names = (await host.run('sh', '-c', `ls /var/lib/cni/networks/${network} 2>/dev/null || true`)).split(
    '\n',
  );
  return names.filter((name) => /^[0-9a-f.:]+$/.test(name)).sort();
}

/** What is still there of containers that have gone. */
export async function leftOn(host: NetworkHost, network = 'tested'): Promise<readonly string[]> {
  const links = (await linksOf(host)).map(({ ifname }) => ifname).filter((name) => name.startsWith('veth'));
  const rules = await host.run('sh', '-c', 'nft list ruleset | grep masquerade | grep -v ^table || true');
  return [...links, ...(await leasesOf(host, network)), ...rules.split('\n').filter((line) => line !== '')];
}

/**
 * What is still there of pods that have ended, whatever their networks: cables, but for a test's own, whose names begin with `up`;
 * addresses, rules that name them, and chains of theirs.
 */
export async function leftOfPods(host: NetworkHost, uuids: readonly string[]): Promise<readonly string[]> {
  const links = (await linksOf(host)).filter(({ ifname, linkinfo }) =>
    ['veth', 'ifb', 'macvtap', 'tun'].includes(ifname.startsWith('up') ? '' : (linkinfo?.info_kind ?? '')),
  );
  const leases = await host.run('sh', '-c', 'ls /var/lib/cni/networks/* 2>/dev/null || true');
  const rules = await host.run('sh', '-c', 'nft list ruleset; iptables-save; ip6tables-save');
  const isOf = (line: string) =>
    uuids.some((uuid) => line.includes(uuid)) || /CNI-([0-9a-f]{24}|DN-[0-9a-f]+)/.test(line);
  return [
    ...links.map(({ ifname }) => `interface ${ifname}`),
    ...leases
      .split('\n')
      .filter((name) => /^[0-9a-f.:]+$/.test(name))
      .map((name) => `lease ${name}`),
    ...rules.split('\n').filter(isOf),
  ];
}
