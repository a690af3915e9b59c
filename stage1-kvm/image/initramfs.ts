import { character, directory, type Entry, file } from '../../tools/stage1/entry.ts';
import { writeCpio } from './cpio.ts';
import type { KernelModule } from './modules.ts';

/**
 * The same for every pod. Without a /dev/console node, what init prints before it mounts devtmpfs is lost.
 * `modules/order` names the modules `modules/NAME.ko`, one a line, in the order to load them.
 */
export function initramfsEntries(init: Uint8Array, modules: readonly KernelModule[]): Entry[] {
  return [
    file('init', init, 0o755),
    directory('dev'),
    character('dev/console', 5, 1, 0o600),
    ...['proc', 'sys', 'run', 'tmp', 'pod'].map((path) => directory(path)),
    directory('modules'),
    file('modules/order', moduleOrder(modules)),
    ...modules.map(({ name, bytes }) => file(`modules/${name}.ko`, bytes)),
  ];
}

export function writeInitramfs(init: Uint8Array, modules: readonly KernelModule[]): Uint8Array {
  return writeCpio(initramfsEntries(init, modules));
}

/** The names of the modules, one a line. */
export function moduleOrder(modules: readonly KernelModule[]): Uint8Array {
  return Buffer.from(modules.map(({ name }) => `${name}\n`).join(''));
}
