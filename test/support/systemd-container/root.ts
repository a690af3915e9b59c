import { dependencies } from '../../../tools/package-control.ts';
import { debianRoot } from '../debian-root.ts';

/** What the package does without, and its tests do not. */
const OTHERS = ['systemd-sysv', 'dbus', 'bash-completion'];

/** The root directory of a Debian with systemd and what rkt's package depends on, but not rkt. */
export function containerRoot(): Promise<string> {
  return debianRoot('systemd-container', [...dependencies().map(firstName), ...OTHERS], () => {});
}

/** Of what may satisfy a dependency, without the version: `virtiofsd | qemu-system-common (<< 1:8)`. */
function firstName(dependency: string): string {
  return dependency.split(/[ |]/)[0] ?? dependency;
}
