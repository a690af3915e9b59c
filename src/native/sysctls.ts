/** The kernel's settings below /proc/sys/net, which are those of the network namespace that the process is in. */

import { writeControl } from './contents.ts';
import { visitEntries } from './directories.ts';
import { utf8Decode } from './engine.ts';
import { close, File, open_ } from './files.ts';
import { stat } from './stat.ts';
import { attempt } from './syscall.ts';

const ROOT = '/proc/sys/net';
/** The kernel gives a setting at once, and none that is text is longer. */
const LONGEST = 4096;
const OWNER_WRITES = 0o200;

/** By name, `ipv4/ip_forward`, those that can be read; values without the end of their line. */
export type Sysctls = ReadonlyMap<string, string>;

export function readSysctls(): Sysctls {
  const found = new Map<string, string>();
  const buffer = new Uint8Array(LONGEST);
  const read = (path: string, prefix: string) => {
    using directory = File.open(path, open_.readOnly | open_.directory);
    visitEntries(directory.fd, (bytes, kind) => {
      const name = utf8Decode(bytes);
      if (kind === 'directory') read(`${path}/${name}`, `${prefix}${name}/`);
      const value = kind === 'file' ? readValue(directory.fd, name, buffer) : undefined;
      if (value !== undefined) found.set(`${prefix}${name}`, value);
    });
  };
  read(ROOT, '');
  return found;
}

/** Hundreds are read while somebody waits for their pod: a refusal, as of one that nobody has given a value, makes no error here. */
function readValue(directory: number, name: string, buffer: Uint8Array): string | undefined {
  const fd = attempt('openat', directory, name, open_.readOnly | open_.closeOnExec, 0);
  if (fd < 0) return undefined;
  const length = attempt('read', fd, buffer, buffer.length);
  close(fd);
  if (length < 0 || length === buffer.length) return undefined;
  return utf8Decode(buffer.subarray(0, length)).trimEnd();
}

/** Some only tell what the kernel does. */
export function isWritable(name: string): boolean {
  return (stat(`${ROOT}/${name}`).permissions & OWNER_WRITES) !== 0;
}

export function writeSysctl(name: string, value: string): void {
  writeControl(`${ROOT}/${name}`, value);
}
