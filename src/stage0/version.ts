import { acVersion } from '../appc/version.ts';
import { hostPlatform } from '../os/host-platform.ts';
import { ownVersion } from './installation.ts';

/** What this `rkt` is: its version, the appc specification it follows, and what it runs on. */
export function versions() {
  return { rkt: ownVersion(), appc: acVersion, ...hostPlatform };
}
