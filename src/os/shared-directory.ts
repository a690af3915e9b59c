import { chmodSync, chownSync, mkdirSync, readFileSync } from 'node:fs';
import { isSystemError } from './syscall.ts';

/** The group whose members may use images and look at pods without being root, where the host has it. */
const GROUP = 'rkt';

/** A directory of root that the group `rkt` may use as `mode` says. One that is there keeps what an administrator gave it. */
export function ensureSharedDirectory(path: string, mode = 0o2750): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return;
    throw error;
  }
  const group = groupId(GROUP);
  if (group !== undefined) chownSync(path, -1, group);
  chmodSync(path, mode); // whatever the umask is; after chown, which may clear setgid
}

function groupId(name: string): number | undefined {
  try {
    const line = readFileSync('/etc/group', 'utf8')
      .split('\n')
      .find((entry) => entry.startsWith(`${name}:`));
    return line === undefined ? undefined : Number(line.split(':')[2]);
  } catch {
    return undefined; // no readable group file: the directory stays root's
  }
}
