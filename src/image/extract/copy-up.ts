import { constants, fstatSync, openSync, readSync } from 'node:fs';
import { Descriptor, openAt } from '../../os/descriptor.ts';
import { tryMakeSymlink, tryReadLink } from '../../os/directory-entries.ts';
import { listXattrs } from '../../os/file-attributes.ts';
import { check, type Path } from '../../os/syscall.ts';
import { ImageError } from '../error.ts';
import { type Metadata, type Piece, showBytes, toByteString } from '../tar/index.ts';
import { applyAllAttributes, applyAttributes, applyLinkAttributes } from './attributes.ts';
import { writeContent } from './content.ts';
import { timeOf } from './timestamp.ts';

type Attributes = Omit<Metadata, 'path'>;

const COPY_SIZE = 1024 * 1024;

/** Copies a file or link of a lower layer into this one, as overlayfs does when a further name is made for it. */
export async function copyUp(below: Descriptor, to: Descriptor, name: Path): Promise<void> {
  const stats = fstatSync(below.fd);
  if (stats.isSymbolicLink()) {
    check(tryMakeSymlink(to, name, linkTarget(below, name)), 'symlinkat', name);
    applyLinkAttributes(to, name, attributesOf(below));
    return;
  }
  if (!stats.isFile()) throw unlinkable(name);
  using readable = reopen(below);
  using copy = openAt(to, name, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600);
  await writeContent(copy, stats.size, contentOf(readable));
  applyAllAttributes(copy, { ...attributesOf(below), xattrs: imageXattrs(readable) });
}

/** Gives a directory the attributes of the one below that it will be merged with, but for its times. */
export function copyDirectoryAttributes(below: Descriptor, directory: Descriptor): Attributes {
  using readable = openAt(below, '.', constants.O_RDONLY | constants.O_DIRECTORY);
  const attributes = { ...attributesOf(below), xattrs: imageXattrs(readable) };
  applyAttributes(directory, attributes);
  return attributes;
}

function attributesOf(file: Descriptor): Attributes {
  const stats = fstatSync(file.fd, { bigint: true });
  return {
    mode: Number(stats.mode & 0o7777n),
    uid: Number(stats.uid),
    gid: Number(stats.gid),
    mtime: timeOf(stats),
    xattrs: new Map(),
  };
}

// The lower layer's own overlay marks are about what lies below it.
function imageXattrs(file: Descriptor): Map<string, Buffer> {
  return new Map([...listXattrs(file)].filter(([name]) => !name.startsWith('trusted.')));
}

function linkTarget(link: Descriptor, name: Path): Buffer {
  const target = tryReadLink(link, '');
  if (typeof target === 'number') throw unlinkable(name);
  return target;
}

function reopen(file: Descriptor): Descriptor {
  return new Descriptor(openSync(`/proc/self/fd/${file.fd}`, constants.O_RDONLY));
}

async function* contentOf(file: Descriptor): AsyncGenerator<Piece, void, undefined> {
  const buffer = Buffer.alloc(COPY_SIZE);
  for (let offset = 0; ; ) {
    const length = readSync(file.fd, buffer, 0, COPY_SIZE, offset);
    if (length === 0) return;
    yield { offset, bytes: buffer.subarray(0, length) };
    offset += length;
  }
}

function unlinkable(name: Path): ImageError {
  return new ImageError(
    'hostile-entry',
    `hard link to ${showBytes(toByteString(Buffer.from(name)))}, which is neither a file nor a link in the layer below`,
  );
}
