/** The machine as PID 1 sees it: its name, kernel modules, randomness, and its end. */
import { Packer, Unpacker } from './bytes.ts';
import { ioctl } from './descriptors.ts';
import { utf8Encode } from './engine.ts';
import { File, open_ } from './files.ts';
import { attempt, call, checked } from './syscall.ts';

export type Ending = 'power-off' | 'restart' | 'halt';

const LINUX_REBOOT_MAGIC1 = 0xfee1dead;
const LINUX_REBOOT_MAGIC2 = 672274793;
const endings = { 'power-off': 0x4321fedc, restart: 0x01234567, halt: 0xcdef0123 } as const;

/** At once: nothing is unmounted or written back. */
export function endMachine(ending: Ending): void {
  call('reboot', LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2, endings[ending], null);
}

/** Writes back all file systems. */
export function syncAll(): void {
  call('sync');
}

/** `uname -r`. */
export function kernelRelease(): string {
  const names = new Uint8Array(UTSNAME_FIELD * 6);
  call('uname', names);
  return new Unpacker(names, UTSNAME_FIELD * 2).text(UTSNAME_FIELD);
}

/** struct new_utsname: system, node, release, version, machine, domain. */
const UTSNAME_FIELD = 65;

export function setHostname(name: string): void {
  call('sethostname', name, utf8Encode(name).length);
}

/** Loads a module from a file; one that is there already is no error. */
export function loadModule(path: string, parameters = ''): void {
  const EEXIST = -17;
  using file = File.open(path, open_.readOnly);
  const result = attempt('finit_module', file.fd, parameters, 0);
  if (result !== EEXIST) checked('finit_module', result, { path });
}

export function randomBytes(count: number): Uint8Array {
  const out = new Uint8Array(count);
  for (let at = 0; at < count; ) at += call('getrandom', out.subarray(at), count - at, 0);
  return out;
}

const RNDADDENTROPY = 0x40085203;
const RNDRESEEDCRNG = 0x5207;

/** Feeds secret random bytes to the kernel and makes it use them at once. */
export function addEntropy(seed: Uint8Array, device = '/dev/random'): void {
  using file = File.open(device, open_.readWrite);
  const pool = new Packer(8 + seed.length)
    .u32(seed.length * 8)
    .u32(seed.length)
    .bytes(seed)
    .finish();
  ioctl(file.fd, RNDADDENTROPY, pool);
  ioctl(file.fd, RNDRESEEDCRNG);
}
