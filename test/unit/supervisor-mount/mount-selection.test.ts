import { expect, test } from 'vitest';
import { mountsToDetach } from '../../../src/supervisor/mount-selection.ts';

const host = [
  '/',
  '/proc',
  '/sys',
  '/sys/fs/cgroup',
  '/dev',
  '/dev/shm',
  '/run',
  '/run/user/0',
  '/boot',
  '/mnt',
  '/mnt/disk',
];

test('detaches what is neither above nor below what is kept, children first', () => {
  expect(mountsToDetach(host, [])).toEqual(['/mnt/disk', '/mnt', '/boot', '/run/user/0']);
});

test('keeps the way to a kept path and all below it', () => {
  expect(mountsToDetach([...host, '/mnt/disk/rkt/cas'], ['/mnt/disk/rkt'])).toEqual(['/boot', '/run/user/0']);
});

test('a name that only starts alike is not below', () => {
  expect(mountsToDetach(['/', '/mnt', '/mnt-b', '/mnt/a'], ['/mnt/a/data'])).toEqual(['/mnt-b']);
});

test('both of two mounts at one place go', () => {
  expect(mountsToDetach(['/', '/mnt', '/mnt'], ['/data'])).toEqual(['/mnt', '/mnt']);
});
