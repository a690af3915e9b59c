import { describe, expect, it } from 'vitest';
import {
  dependencies,
  moduleName,
  orderModules,
  withoutSignature,
} from '../../../../stage1-kvm/image/modules.ts';

function module(...needs: string[]): Uint8Array {
  return Buffer.from(`\x7fELF...\0license=GPL\0depends=${needs.join(',')}\0name=x\0`, 'latin1');
}

function signed(bytes: Uint8Array): Uint8Array {
  const size = Buffer.alloc(4);
  size.writeUInt32BE(20);
  const marker = Buffer.from('~Module signature appended~\n');
  return Buffer.concat([bytes, Buffer.alloc(20, 's'), Buffer.alloc(8), size, marker]);
}

function source(files: Record<string, Uint8Array>, builtin: string[] = []) {
  return { builtin: new Set(builtin), read: async (name: string) => files[name] };
}

describe('modules', () => {
  it('names a module as the kernel does', () => {
    expect(moduleName('kernel/drivers/virtio-rng.ko.xz')).toBe('virtio_rng');
    expect(moduleName('kernel/fs/overlay.ko')).toBe('overlay');
  });

  it('reads dependencies', () => {
    expect(dependencies(module('net-failover', 'b'))).toEqual(['net_failover', 'b']);
    expect(dependencies(module())).toEqual([]);
    expect(dependencies(Buffer.from('nothing'))).toEqual([]);
  });

  it('drops an appended signature and leaves an unsigned module alone', () => {
    expect(withoutSignature(signed(module('a')))).toEqual(module('a'));
    expect(withoutSignature(module('a'))).toEqual(module('a'));
  });

  it('orders each module after what it needs, once, and leaves out what is built in', async () => {
    const files = { net: module('mid'), mid: module('low', 'core'), low: module(), other: module('low') };
    const ordered = await orderModules(['net', 'other'], source(files, ['core']));
    expect(ordered.map(({ name }) => name)).toEqual(['low', 'mid', 'net', 'other']);
  });

  it('names a missing module and who needs it', async () => {
    await expect(orderModules(['net'], source({ net: module('gone') }))).rejects.toThrow(
      'kernel has no module gone, needed by net',
    );
  });
});
