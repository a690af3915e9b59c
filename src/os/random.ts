import { check, libc } from './syscall.ts';

const getrandom = libc('long getrandom(_Out_ uint8_t *bytes, size_t count, unsigned int flags)');

/** At most 256 bytes, which the kernel gives all at once. Those of `node:crypto` are the same, and loading it takes longer than most commands. */
export function randomOctets(count: number): Uint8Array {
  const octets = new Uint8Array(count);
  check(getrandom(octets, count, 0), 'getrandom');
  return octets;
}
