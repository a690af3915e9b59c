import { chmodSync, writeFileSync } from 'node:fs';
import type { PluginConfig, PluginSet } from '../cni-chain.ts';

/** The networks that are made and killed: two, and one that cannot be made, so that those before it are taken away. */
export const CABLE = 'cable';
export const BRIDGED = 'bridged';
export const BROKEN = 'broken';

/** Those that are to be killed. Ours do not start their own `host-local`. */
export const PLUGIN_TYPES: Readonly<Record<PluginSet['of'], readonly string[]>> = {
  rkt: ['ptp', 'bridge', 'firewall', 'tuning', 'bandwidth', 'portmap'],
  "Debian's containernetworking-plugins": [
    ...['ptp', 'bridge', 'firewall', 'tuning', 'bandwidth', 'portmap'],
    'host-local',
  ],
};

const ipam = (n: number) => ({
  type: 'host-local',
  ranges: [[{ subnet: `10.77.${n}.0/24` }], [{ subnet: `fd00:77:${n}::/64` }]],
  routes: [{ dst: '0.0.0.0/0' }, { dst: '::/0' }],
});

const CABLE_PLUGIN: PluginConfig = { type: 'ptp', ipMasq: true, ipam: ipam(1) };
const BRIDGED_PLUGINS: readonly PluginConfig[] = [
  { type: 'bridge', bridge: 'rkt-br', isGateway: true, ipMasq: true, ipam: ipam(2) },
  { type: 'firewall' },
  { type: 'tuning', sysctl: { 'net.core.somaxconn': '500' } },
  { type: 'bandwidth', ingressRate: 8e8, ingressBurst: 8e8, egressRate: 8e8, egressBurst: 8e8 },
];
const PORTMAP: PluginConfig = { type: 'portmap', snat: true, capabilities: { portMappings: true } };

/** Of what a pod's run is told. */
export const PORT = '--port=8080:80';

/** What somebody else's container has: of all that pods get, its own. */
export const BYSTANDER = [
  { name: CABLE, plugins: [CABLE_PLUGIN] },
  {
    name: BRIDGED,
    plugins: [
      ...BRIDGED_PLUGINS,
      {
        ...PORTMAP,
        runtimeConfig: { portMappings: [{ hostPort: 9090, containerPort: 90, protocol: 'tcp' }] },
      },
    ],
  },
] as const;

/** Files of `net.d`, by name. */
export const NETWORK_FILES: Readonly<Record<string, object>> = {
  '10-cable.conf': { cniVersion: '0.4.0', name: CABLE, ...CABLE_PLUGIN },
  '20-bridged.conflist': { cniVersion: '1.0.0', name: BRIDGED, plugins: [...BRIDGED_PLUGINS, PORTMAP] },
  '30-broken.conf': { cniVersion: '0.4.0', name: BROKEN, type: 'broken' },
};

const BROKEN_PLUGIN = `#!/bin/sh
[ "$CNI_COMMAND" = ADD ] || exit 0
echo '{"cniVersion": "0.4.0", "code": 100, "msg": "broken on purpose"}'
exit 1
`;

export function writeBrokenPlugin(directory: string): void {
  writeFileSync(`${directory}/broken`, BROKEN_PLUGIN);
  chmodSync(`${directory}/broken`, 0o755);
}
