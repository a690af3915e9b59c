/** Extended attributes of open files and directories, as archives have them. */
import { type ByteString, byteString, kernelName } from './byte-names.ts';
import { attempt, checked } from './syscall.ts';

const LIST_MAX = 65_536;
const ENODATA = -61;
const EOPNOTSUPP = -95;

/** What overlayfs says of a file or directory of an upper layer by attributes. */
export interface OverlayMarks {
  /** Nothing of the layers below shows in this directory. */
  readonly isOpaque: boolean;
  /** Its content is another name's, or only its attributes are here. */
  readonly isRedirected: boolean;
}

/**
 * Those that an image may have (src/image/extract/attributes.ts): not overlayfs's own, no labels of this machine, no access control
 * lists.
 */
export function keptAttributes(fd: number): Map<ByteString, Uint8Array> {
  const kept = new Map<ByteString, Uint8Array>();
  for (const name of attributeNames(fd)) {
    const value = isKept(name) ? attribute(fd, name) : undefined;
    if (value !== undefined) kept.set(name, value);
  }
  return kept;
}

export function overlayMarks(fd: number): OverlayMarks {
  const names = attributeNames(fd);
  const opaque = names.includes('trusted.overlay.opaque')
    ? attribute(fd, 'trusted.overlay.opaque')
    : undefined;
  return {
    isOpaque: opaque !== undefined && byteString(opaque) === 'y',
    isRedirected: names.includes('trusted.overlay.redirect') || names.includes('trusted.overlay.metacopy'),
  };
}

/** Nothing happens on file systems that have no attributes. */
export function setAttribute(fd: number, name: ByteString, value: Uint8Array): void {
  const result = attempt('fsetxattr', fd, kernelName(name), value, value.length, 0);
  if (result !== EOPNOTSUPP) checked('fsetxattr', result);
}

function isKept(name: ByteString): boolean {
  return name === 'security.capability' || (name.startsWith('user.') && !name.startsWith('user.overlay.'));
}

/** Made when it is needed, and kept: such a buffer for each file would cost more than the files. */
let scratch: Uint8Array | undefined;

function attributeNames(fd: number): ByteString[] {
  scratch ??= new Uint8Array(LIST_MAX);
  const list = scratch;
  const length = attempt('flistxattr', fd, list, list.length);
  if (length === EOPNOTSUPP || length === 0) return [];
  const text = byteString(list.subarray(0, checked('flistxattr', length)));
  return text.split('\0').filter((name) => name !== '');
}

function attribute(fd: number, name: ByteString): Uint8Array | undefined {
  scratch ??= new Uint8Array(LIST_MAX);
  const value = scratch;
  const length = attempt('fgetxattr', fd, kernelName(name), value, value.length);
  if (length === ENODATA || length === EOPNOTSUPP) return undefined;
  return value.slice(0, checked('fgetxattr', length));
}
