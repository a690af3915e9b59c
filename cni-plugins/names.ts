/** The standard names that the program answers to; a link of each is installed beside the others. */
export const PLUGIN_NAMES = [
  'bandwidth',
  'bridge',
  'dhcp',
  'dummy',
  'firewall',
  'host-device',
  'host-local',
  'ipvlan',
  'loopback',
  'macvlan',
  'portmap',
  'ptp',
  'sbr',
  'static',
  'tap',
  'tuning',
  'vlan',
] as const;

export type PluginName = (typeof PLUGIN_NAMES)[number];
