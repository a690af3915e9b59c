/** Which devices a control group's processes may use. */
import type { ControlGroup } from './cgroups.ts';
import { writeControl } from './contents.ts';
import { attachDeviceFilter, type DeviceRule } from './device-filter.ts';

/**
 * By v1's controller where there is one, as long as it may say something; all is forbidden first. `unified`: the group of v2, open.
 * False: there is no such controller.
 */
export function allowDevices(
  { directories }: ControlGroup,
  unified: number | undefined,
  rules: readonly DeviceRule[],
): boolean {
  const v1 = directories.find(({ controller }) => controller === 'devices');
  if (v1 !== undefined) {
    writeControl(`${v1.path}/devices.deny`, 'a');
    for (const rule of rules) writeControl(`${v1.path}/devices.allow`, deviceText(rule));
  } else if (unified !== undefined) {
    attachDeviceFilter(unified, rules);
  }
  return v1 !== undefined || unified !== undefined;
}

function deviceText({ kind, major, minor, use }: DeviceRule): string {
  return `${kind === 'char' ? 'c' : 'b'} ${major ?? '*'}:${minor ?? '*'} ${use}`;
}
