import { describe, expect, it } from 'vitest';
import { checksums, controlText, debianVersion } from '../../../tools/package-control.ts';
import { file, symlink } from '../../../tools/stage1/entry.ts';

const version = { rkt: '2.0.0-dev', debian: '2.0.0~dev', maintainer: 'A <a@example.com>', date: 0 };
const entries = [file('usr/a', Buffer.alloc(1025)), symlink('usr/b', 'a')];

describe('controlText', () => {
  it('has a line for each field, and no empty one', () => {
    const lines = controlText(version, entries).split('\n');
    expect(lines).toEqual(
      expect.arrayContaining(['Package: rkt', 'Version: 2.0.0~dev', 'Maintainer: A <a@example.com>']),
    );
    expect(lines.slice(0, -1)).not.toContain('');
  });

  it('counts what is installed in whole kilobytes', () => {
    expect(controlText(version, entries)).toMatch(/^Installed-Size: 3$/m);
  });
});

describe('checksums', () => {
  it('are those of files alone', () => {
    expect(checksums(entries)).toBe('0ad4cf7b35f62b8ff9c73f481594fbdd  usr/a\n');
  });
});

describe('debianVersion', () => {
  it.each([
    ['2.0.0', '2.0.0'],
    ['2.0.0-dev', '2.0.0~dev'],
    ['2.0.0-rc.1', '2.0.0~rc.1'],
  ])('of %s is %s', (rkt, debian) => {
    expect(debianVersion(rkt)).toBe(debian);
  });
});
