import { beforeAll, expect, test } from 'vitest';
import { useEngine } from '../../../src/native/engine.ts';
import { overlayOptions, readOnlyOptions } from '../../../src/supervisor/mount-options.ts';

beforeAll(() => {
  const unused = () => {
    throw new Error('no system call is expected');
  };
  const encode = (text: string) => new Uint8Array(Buffer.from(text)).buffer;
  useEngine({
    argv: [],
    environ: [],
    syscall: unused,
    address: unused,
    settle: unused,
    decode: unused,
    encode,
  });
});

const overlay = {
  kind: 'overlay',
  target: 'stage1/rootfs/opt/stage2/a/rootfs',
  lowerBase: '/var/lib/rkt/cas/layer',
  lower: ['2222/rootfs', '1111/rootfs'],
  upper: 'overlay/ID/upper/a',
  work: 'overlay/ID/work/a',
} as const;

test('names the layers top first, relative to their base', () => {
  expect(overlayOptions(overlay, '/proc/self/fd/5')).toBe(
    'lowerdir=2222/rootfs:1111/rootfs,upperdir=/proc/self/fd/5/overlay/ID/upper/a,workdir=/proc/self/fd/5/overlay/ID/work/a',
  );
});

test('lets the kernel wait for no disk where nothing is to last', () => {
  const options = overlayOptions({ ...overlay, volatile: true }, '.');
  expect(options).toBe(`${overlayOptions(overlay, '.')},volatile`);
});

test('escapes what separates', () => {
  const odd = { ...overlay, lower: ['a:b,c\\d'], upper: 'u,v', work: 'w' };
  expect(overlayOptions(odd, '.')).toBe('lowerdir=a\\:b\\,c\\\\d,upperdir=./u\\,v,workdir=./w');
});

test('says how many layers are too many', () => {
  const lower = Array.from({ length: 128 }, (_, index) => `${String(index).padStart(24, '0')}/rootfs`);
  expect(() => overlayOptions({ ...overlay, lower }, '.')).toThrow(
    /128 layers need \d+ bytes of mount options/,
  );
});

test('to look at only, what was written to is the topmost layer', () => {
  expect(readOnlyOptions({ ...overlay, upper: 'overlay/I:D/upper/a' }, '/proc/self/fd/5')).toBe(
    'lowerdir=/proc/self/fd/5/overlay/I\\:D/upper/a:2222/rootfs:1111/rootfs',
  );
});
