import { dhcp } from './ipam/dhcp.ts';
import { hostLocal } from './ipam/host-local.ts';
import { static_ } from './ipam/static.ts';
import { bridge } from './main/bridge.ts';
import { dummy } from './main/dummy.ts';
import { hostDevice } from './main/host-device.ts';
import { ipvlan } from './main/ipvlan.ts';
import { loopback } from './main/loopback.ts';
import { macvlan } from './main/macvlan.ts';
import { ptp } from './main/ptp.ts';
import { tap } from './main/tap.ts';
import { vlan } from './main/vlan.ts';
import { bandwidth } from './meta/bandwidth.ts';
import { firewall } from './meta/firewall.ts';
import { portmap } from './meta/portmap.ts';
import { sbr } from './meta/sbr.ts';
import { tuning } from './meta/tuning.ts';
import type { PluginName } from './names.ts';
import type { Plugin } from './request.ts';

export const plugins: Readonly<Record<PluginName, Plugin>> = {
  bandwidth,
  bridge,
  dhcp,
  dummy,
  firewall,
  'host-device': hostDevice,
  'host-local': hostLocal,
  ipvlan,
  loopback,
  macvlan,
  portmap,
  ptp,
  sbr,
  static: static_,
  tap,
  tuning,
  vlan,
};
