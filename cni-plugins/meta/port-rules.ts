/** The rules that publish ports, in both languages. */
import { formatIp } from '../../src/native/netlink/ip.ts';
import { formatCidr, networkOf } from '../ip.ts';
import type { IpVersion } from '../iptables.ts';
import type { PacketRules } from '../packet-rules.ts';
import { formatClaim, formatTarget, type PublishedPort } from './port-mappings.ts';
import type { PortmapOptions } from './portmap-options.ts';

/** No setting lets packets from ::1 leave the host: its localhost has published ports by IPv4 alone, and is refused there by IPv6. */
const LOCALHOST = { v4: ['127.0.0.0/8'], v6: [] } as const;
const UNREACHABLE = '::1';

export function portRules(ports: readonly PublishedPort[], options: PortmapOptions): PacketRules {
  return {
    nftables: () => nftRules(ports, options),
    iptables: (version, owner) => iptablesRules(version, ports, options, owner),
  };
}

/** Where packets come from that the container could not answer under their own address. */
function sourcesToMasquerade({ container, version }: PublishedPort): string[] {
  return [formatCidr({ ...container, ip: networkOf(container) }), ...LOCALHOST[version]];
}

/** Conditions let several containers have one port: such a rule takes nothing from others. */
function claimOf(port: PublishedPort, { conditions }: PortmapOptions): string | undefined {
  return conditions[port.version].length === 0 ? formatClaim(port) : undefined;
}

function nftRules(ports: readonly PublishedPort[], options: PortmapOptions): string[] {
  const translate = ports.map((port) => nftTranslation(port, options));
  const masquerade = options.snat ? nftMasquerades(ports, options) : [];
  return [
    'chain prerouting {',
    'type nat hook prerouting priority dstnat;',
    ...translate,
    '}',
    'chain output {',
    // The name dstnat means the same number, but nft takes it for prerouting alone.
    'type nat hook output priority -100;',
    ...translate,
    '}',
    'chain postrouting {',
    'type nat hook postrouting priority srcnat;',
    ...masquerade,
    '}',
  ];
}

const nftFamilies = {
  v4: { protocol: 'ipv4', family: 'ip' },
  v6: { protocol: 'ipv6', family: 'ip6' },
} as const;

function nftTranslation(port: PublishedPort, options: PortmapOptions): string {
  const { protocol, family } = nftFamilies[port.version];
  const claim = claimOf(port, options);
  return [
    `meta nfproto ${protocol} fib daddr type local`,
    ...(port.hostIp === undefined ? [] : [`${family} daddr ${port.hostIp}`]),
    ...(port.hostIp === undefined && port.version === 'v6' ? [`ip6 daddr != ${UNREACHABLE}`] : []),
    ...options.conditions[port.version],
    `${port.protocol} dport ${port.hostPort} dnat ${family} to ${formatTarget(port)}`,
    ...(claim === undefined ? [] : [`comment "${claim}"`]),
  ].join(' ');
}

/** A rule for all ports of a protocol: each has sets of its own, which the kernel takes long to make thousands of. */
function nftMasquerades(ports: readonly PublishedPort[], { masqAll }: PortmapOptions): string[] {
  const kinds = new Map<string, PublishedPort[]>();
  for (const port of ports) {
    const kind = `${port.version} ${port.protocol}`;
    const alike = kinds.get(kind) ?? [];
    alike.push(port);
    kinds.set(kind, alike);
  }
  return [...kinds.values()].flatMap((alike) => {
    const [port] = alike;
    if (port === undefined) return [];
    const { family } = nftFamilies[port.version];
    const numbers = [...new Set(alike.map(({ containerPort }) => containerPort))].join(', ');
    const sources = masqAll ? '' : `${family} saddr { ${sourcesToMasquerade(port).join(', ')} } `;
    const target = `${family} daddr ${formatIp(port.container.ip)} ${port.protocol} dport { ${numbers} }`;
    return [`${target} ct status dnat ${sources}masquerade`];
  });
}

/** A mark takes the decision from where the packet still has its first address to where it leaves. */
function iptablesRules(
  version: IpVersion,
  ports: readonly PublishedPort[],
  options: PortmapOptions,
  owner: string,
): string[] {
  const own = ports.filter((port) => port.version === version);
  const mark = `0x${((1 << options.markBit) >>> 0).toString(16)}`;
  const [first] = own;
  if (first === undefined) return [];
  const marking = options.markChain ?? `MARK --set-xmark ${mark}/${mark}`;
  const leaving = `-A POSTROUTING -d ${formatIp(first.container.ip)} -m mark --mark ${mark}/${mark} ${owner} -j MASQUERADE`;
  return [
    ...own.flatMap((port) => iptablesTranslation(port, options, owner, marking)),
    ...(options.snat && options.markChain === undefined ? [leaving] : []),
  ];
}

function iptablesTranslation(
  port: PublishedPort,
  options: PortmapOptions,
  owner: string,
  marking: string,
): string[] {
  const claim = claimOf(port, options);
  const match = [
    ...destinationMatch(port),
    `-p ${port.protocol} -m addrtype --dst-type LOCAL -m ${port.protocol} --dport ${port.hostPort}`,
    ...options.conditions[port.version].map(quoted),
    owner,
  ].join(' ');
  // Not by -s, which conditions may have, and a rule only once.
  const sources = options.masqAll
    ? ['']
    : sourcesToMasquerade(port).map((network) => `-m conntrack --ctorigsrc ${network} `);
  const comment = claim === undefined ? '' : ` -m comment --comment "${claim}"`;
  return ['PREROUTING', 'OUTPUT'].flatMap((chain) => [
    ...(options.snat ? sources.map((source) => `-A ${chain} ${source}${match} -j ${marking}`) : []),
    `-A ${chain} ${match}${comment} -j DNAT --to-destination ${formatTarget(port)}`,
  ]);
}

function destinationMatch({ hostIp, version }: PublishedPort): string[] {
  if (hostIp !== undefined) return [`-m conntrack --ctorigdst ${hostIp}`];
  return version === 'v6' ? [`-m conntrack ! --ctorigdst ${UNREACHABLE}`] : [];
}

function quoted(argument: string): string {
  return /\s/.test(argument) ? `"${argument}"` : argument;
}
