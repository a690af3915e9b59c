/** Keys that the kernel keeps. */
import { unless } from './errors.ts';
import { call } from './syscall.ts';

const KEYCTL_JOIN_SESSION_KEYRING = 1;

/** A session keyring of this process's own, empty, in the place of the one that it was started with. A kernel may have none. */
export function joinSessionKeyring(): void {
  unless(['ENOSYS'], () => call('keyctl', KEYCTL_JOIN_SESSION_KEYRING, null));
}
