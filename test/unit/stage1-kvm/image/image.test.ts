import { expect, it } from 'vitest';
import { machineEntries } from '../../../../stage1-kvm/image/image.ts';
import { initramfsEntries } from '../../../../stage1-kvm/image/initramfs.ts';

const bytes = Buffer.from('x');
const modules = [{ name: 'overlay', bytes }];

it('has what a machine boots', () => {
  const paths = machineEntries({ vmlinux: bytes, initramfs: bytes, modules }).map(({ path }) => path);
  expect(paths).toEqual(['rootfs/vm', 'rootfs/vm/initramfs', 'rootfs/vm/modules', 'rootfs/vm/vmlinux']);
});

it('gives init a console and its modules', () => {
  const paths = initramfsEntries(bytes, modules).map(({ path }) => path);
  expect(paths).toEqual(
    expect.arrayContaining(['init', 'dev/console', 'modules/order', 'modules/overlay.ko']),
  );
});
