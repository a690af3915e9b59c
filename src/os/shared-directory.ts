import { chmodSync, chownSync, mkdirSync, readFileSync } from 'node:fs';
import { isSystemError } from './syscall.ts';

/** The group whose members may use images and look at pods without being root, where the host has it. */
const GROUP = 'rkt';

/** A directory of root that a group may use as `mode` says. One that is there keeps what an administrator gave it. */
export function ensureSharedDirectory(path: string, mode = 0o2750, group = GROUP): void {
  try {
    // Open to nobody until it is as it shall be.
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (isSystemError(error, 'EEXIST')) return;
    throw error;
  }
  const gid = groupId(group);
  // Who is not root may not, and need not: the setgid bit of the directory above has given it the group.
  if (gid !== undefined && process.geteuid?.() === 0) chownSync(path, -1, gid);
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
