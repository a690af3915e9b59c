import type { Descriptor } from '../../os/descriptor.ts';
import {
  changeMode,
  changeModeAt,
  changeOwner,
  changeOwnerAt,
  changeTimes,
  changeTimesAt,
  setXattr,
  setXattrAt,
} from '../../os/file-attributes.ts';
import type { Path } from '../../os/syscall.ts';
import { ImageError } from '../error.ts';
import { type ByteString, fromByteString, type Metadata, showBytes } from '../tar/index.ts';

type Attributes = Omit<Metadata, 'path'>;

/** What becomes of an image's extended attributes, by prefix; the first that fits counts. */
const XATTR_RULES: ReadonlyArray<readonly [prefix: ByteString, rule: 'keep' | 'drop' | 'refuse']> = [
  // Overlayfs obeys these when it is mounted without privileges.
  ['user.overlay.', 'drop'],
  ['user.', 'keep'],
  ['security.capability', 'keep'],
  // trusted.overlay.* would make overlayfs redirect a file or directory to another one of the image's choice.
  ['trusted.', 'refuse'],
  // Labels of the machine that packed the image (SELinux, IMA), without meaning on this one; access control lists, which
  // files would inherit while they are extracted.
  ['', 'drop'],
];

/** The extended attributes to set, in the archive's order. @throws ImageError hostile-entry */
function acceptedXattrs(xattrs: Metadata['xattrs']): Array<readonly [name: Buffer, value: Uint8Array]> {
  const accepted: Array<readonly [Buffer, Uint8Array]> = [];
  for (const [name, value] of xattrs) {
    const [, rule] = XATTR_RULES.find(([prefix]) => name.startsWith(prefix)) ?? ['', 'drop'];
    if (rule === 'refuse')
      throw new ImageError('hostile-entry', `extended attribute ${showBytes(name)} is not for images to set`);
    if (rule === 'keep') accepted.push([fromByteString(name), value]);
  }
  return accepted;
}

/**
 * Everything but the times of an open file or directory. Owner first: changing it takes setuid bits and capabilities
 * away.
 */
export function applyAttributes(file: Descriptor, attributes: Attributes): void {
  changeOwner(file, attributes.uid, attributes.gid);
  changeMode(file, attributes.mode);
  for (const [name, value] of acceptedXattrs(attributes.xattrs)) setXattr(file, name, value);
}

/** An open file's attributes, its content being complete. */
export function applyAllAttributes(file: Descriptor, attributes: Attributes): void {
  applyAttributes(file, attributes);
  changeTimes(file, attributes.mtime);
}

/** A device's or fifo's, by its name: opening one would act on it. `user.` attributes exist on files and directories only. */
export function applyNodeAttributes(directory: Descriptor, name: Path, attributes: Attributes): void {
  changeOwnerAt(directory, name, attributes.uid, attributes.gid);
  changeModeAt(directory, name, attributes.mode);
  for (const [xattr, value] of acceptedXattrs(attributes.xattrs)) {
    if (!xattr.toString('latin1').startsWith('user.')) setXattrAt(directory, name, xattr, value);
  }
  changeTimesAt(directory, name, attributes.mtime);
}

/** A symbolic link's: it has an owner and times. */
export function applyLinkAttributes(directory: Descriptor, name: Path, attributes: Attributes): void {
  acceptedXattrs(attributes.xattrs);
  changeOwnerAt(directory, name, attributes.uid, attributes.gid);
  changeTimesAt(directory, name, attributes.mtime);
}
