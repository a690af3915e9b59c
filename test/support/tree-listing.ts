import { createHash } from 'node:crypto';
import { constants, lstatSync, openSync, readFileSync, readlinkSync } from 'node:fs';
import { Descriptor, openDirectory } from '../../src/os/descriptor.ts';
import { listXattrs } from '../../src/os/file-attributes.ts';
import { listNames } from '../../src/os/tree.ts';

/**
 * One line for each file of a tree: type, mode, owner, times, links, content, extended attributes. Two trees with equal listings are
 * the same to whoever runs in them. The root's own time is left out: tools differ on whether a layer sets it. Of names for one
 * file the first is told: their number counts in an overlay those that upper layers have removed.
 */
export function treeListing(root: string): string[] {
  using top = openDirectory(root);
  const firstNames = new Map<bigint, string>();
  return ['.', ...namesBelow(top, '').sort()].map((path) => line(root, path, firstNames)).sort();
}

function namesBelow(directory: Descriptor, prefix: string): string[] {
  return listNames(directory).flatMap((bytes) => {
    const name = bytes.toString('latin1');
    const path = Buffer.concat([Buffer.from(`/proc/self/fd/${directory.fd}/`), bytes]);
    if (!lstatSync(path).isDirectory()) return [`${prefix}${name}`];
    using below = new Descriptor(openSync(path, constants.O_RDONLY | constants.O_DIRECTORY));
    return [`${prefix}${name}`, ...namesBelow(below, `${prefix}${name}/`)];
  });
}

function line(root: string, name: string, firstNames: Map<bigint, string>): string {
  const path = Buffer.concat([Buffer.from(`${root}/`), Buffer.from(name, 'latin1')]);
  const stats = lstatSync(path, { bigint: true });
  const time = name === '.' ? 0n : stats.mtimeNs;
  const fields = [name, stats.mode.toString(8), stats.uid, stats.gid, time];
  const first = firstNames.get(stats.ino) ?? name;
  firstNames.set(stats.ino, first);
  if (first !== name) fields.push(`is ${first}`);
  if (stats.isFile()) fields.push(createHash('sha1').update(readFileSync(path)).digest('hex'));
  if (stats.isSymbolicLink()) fields.push(readlinkSync(path));
  if (stats.isCharacterDevice() || stats.isBlockDevice()) fields.push(stats.rdev);
  return [...fields, ...(stats.isFile() || stats.isDirectory() ? xattrsOf(path) : [])].join(' ');
}

function xattrsOf(path: Buffer): string[] {
  using file = new Descriptor(openSync(path, constants.O_RDONLY | constants.O_NONBLOCK));
  return [...listXattrs(file)].map(([name, value]) => `${name}=${value.toString('hex')}`).sort();
}
