/** The standard names that the program answers to; a link of each is installed beside the others. */
export const PLUGIN_NAMES = [
  'bridge',
  'dummy',
  'host-device',
  'host-local',
  'ipvlan',
  'loopback',
  'macvlan',
  'ptp',
  'static',
  'tap',
  'vlan',
] as const;

export type PluginName = (typeof PLUGIN_NAMES)[number];
