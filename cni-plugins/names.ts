/** The standard names that the program answers to; a link of each is installed beside the others. */
export const PLUGIN_NAMES = ['host-local', 'loopback', 'ptp', 'static'] as const;

export type PluginName = (typeof PLUGIN_NAMES)[number];
