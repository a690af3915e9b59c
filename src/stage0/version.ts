import { acVersion } from '../appc/version.ts';
import { ownVersion } from './installation.ts';
import { hostPlatform } from './platform.ts';

/** What this `rkt` is: its version, the appc specification it follows, and what it runs on. */
export function versions() {
  return { rkt: ownVersion(), appc: acVersion, ...hostPlatform };
}
