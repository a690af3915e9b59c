import { loopback } from './main/loopback.ts';
import type { PluginName } from './names.ts';
import type { Plugin } from './request.ts';

export const plugins: Readonly<Record<PluginName, Plugin>> = { loopback };
