/** Which network namespace is which. */
import { Packer, Unpacker } from './bytes.ts';
import { unless } from './errors.ts';
import { close, File, open_ } from './files.ts';
import { setNamespace } from './mounts.ts';
import { stat } from './stat.ts';
import { call } from './syscall.ts';

const OWN = '/proc/self/ns/net';
const AF_UNIX = 1;
const SOCK_STREAM_CLOEXEC = 1 | 0o2000000;
const SOL_SOCKET = 1;
const SO_NETNS_COOKIE = 71;

/**
 * `INODE`, or from Linux 5.14 on `INODE.COOKIE`: the inode's number is another's as soon as the namespace has gone, the cookie is nobody
 * else's until the machine starts anew. `path` is one of /proc/PID/ns/net.
 */
export function networkNamespaceId(path: string): string {
  using file = File.open(path, open_.readOnly);
  const inode = stat(`/proc/self/fd/${file.fd}`).inode;
  const cookie = cookieIn(file.fd);
  return cookie === undefined ? String(inode) : `${inode}.${cookie}`;
}

function cookieIn(namespace: number): number | undefined {
  using own = File.open(OWN, open_.readOnly);
  setNamespace(namespace, 'network');
  try {
    return unless(['ENOPROTOOPT'], ownCookie);
  } finally {
    setNamespace(own.fd, 'network');
  }
}

function ownCookie(): number {
  const socket = call('socket', AF_UNIX, SOCK_STREAM_CLOEXEC, 0);
  try {
    const value = new Uint8Array(8);
    call('getsockopt', socket, SOL_SOCKET, SO_NETNS_COOKIE, value, new Packer(4).u32(8).finish());
    return new Unpacker(value).u64();
  } finally {
    close(socket);
  }
}
