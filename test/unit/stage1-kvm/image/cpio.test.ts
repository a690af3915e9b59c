import { describe, expect, it } from 'vitest';
import { writeCpio } from '../../../../stage1-kvm/image/cpio.ts';
import { character, directory, type Entry, file, symlink } from '../../../../tools/stage1/entry.ts';

const entries: Entry[] = [
  directory('dev'),
  character('dev/console', 5, 1, 0o600),
  file('init', Buffer.from('hello'), 0o755),
  symlink('sbin', 'init'),
];

describe('writeCpio', () => {
  it('starts with the newc magic and ends with the trailer', () => {
    const text = Buffer.from(writeCpio(entries)).toString('latin1');
    expect(text.startsWith('070701')).toBe(true);
    expect(text).toMatch(/TRAILER!!!\0+$/);
  });

  it('pads every header and every content to four bytes', () => {
    const bytes = writeCpio(entries);
    expect(bytes.length % 4).toBe(0);
    const text = Buffer.from(bytes).toString('latin1');
    for (const found of text.matchAll(/070701/g)) expect(found.index % 4).toBe(0);
  });

  it('records mode, size and device of an entry', () => {
    const text = Buffer.from(writeCpio([character('c', 5, 1, 0o600)])).toString('latin1');
    const fields = text
      .slice(6, 110)
      .match(/.{8}/g)
      ?.map((field) => Number.parseInt(field, 16));
    expect(fields).toEqual([1, 0o020600, 0, 0, 1, 0, 0, 0, 0, 5, 1, 2, 0]);
  });

  it('writes the same bytes for the same entries', () => {
    expect(writeCpio(entries)).toEqual(writeCpio([...entries]));
  });
});
