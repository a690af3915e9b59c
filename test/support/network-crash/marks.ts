import type { NetworkHost } from '../network-host.ts';

/** Shows all that networks leave on a machine: interfaces, addresses, routes, leases and other files, rules and chains. */
const SHOW = `
ip -o link | sed 's/^[0-9]*: //; s/@.*//; s/:.*//; s/^/interface /'
ip -4 -o addr | awk '{ print "address", $2, $4 }'
ip -4 route; ip -6 route
find /var/lib/cni /run/cni -type f ! -name lock ! -name 'last_reserved_ip*' 2>/dev/null
iptables-save; ip6tables-save
nft list ruleset inet 2>/dev/null`;

/** Lines, sorted, without what changes by itself. */
export async function marksOn(host: NetworkHost): Promise<readonly string[]> {
  const lines = (await host.run('sh', '-c', SHOW)).split('\n');
  return lines
    .filter((line) => !/^(#|\s*$|COMMIT)|^fe80::|^\*/.test(line))
    .map((line) => line.replace(/\[\d+:\d+\]|counter packets \d+ bytes \d+| linkdown/g, '').trim())
    .sort();
}

/** What the one has more often than the other. */
export function more(one: readonly string[], other: readonly string[]): string[] {
  const left = [...other];
  return one.filter((line) => {
    const at = left.indexOf(line);
    if (at >= 0) left.splice(at, 1);
    return at < 0;
  });
}
