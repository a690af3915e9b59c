import { hostLocal } from './ipam/host-local.ts';
import { static_ } from './ipam/static.ts';
import { loopback } from './main/loopback.ts';
import { ptp } from './main/ptp.ts';
import type { PluginName } from './names.ts';
import type { Plugin } from './request.ts';

export const plugins: Readonly<Record<PluginName, Plugin>> = {
  'host-local': hostLocal,
  loopback,
  ptp,
  static: static_,
};
