import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  appendFile,
  readFile,
  readText,
  readTextIfPresent,
  writeFile,
} from '../../../src/native/contents.ts';
import { setCloseOnExec } from '../../../src/native/descriptors.ts';
import { utf8Encode } from '../../../src/native/engine.ts';
import { SystemError } from '../../../src/native/errors.ts';
import {
  close,
  duplicate,
  File,
  open,
  open_,
  openInRoot,
  read,
  truncate,
  writeAll,
} from '../../../src/native/files.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

const scratch = nativeScratch();
const at = (name: string) => join(scratch, name);

const bytes = (text: string) => utf8Encode(text);

function textOf(fd: number): string {
  const buffer = new Uint8Array(100);
  return Buffer.from(buffer.subarray(0, read(fd, buffer))).toString();
}

describe('open files', () => {
  it('are written, read, and close themselves', () => {
    let fd: number;
    {
      using file = File.open(at('plain'), open_.writeOnly | open_.create, 0o600);
      writeAll(file.fd, bytes('hello world').subarray(6));
    }
    {
      using file = File.open(at('plain'), open_.readOnly);
      fd = file.fd;
      expect(textOf(fd)).toBe('world');
    }
    expect(() => textOf(fd)).toThrow('EBADF: bad file descriptor, read');
  });

  it('are cut and grown', () => {
    using file = File.open(at('length'), open_.readWrite | open_.create);
    truncate(file.fd, 6);
    expect(readFileSync(at('length'))).toHaveLength(6);
  });

  it('close on exec unless told otherwise', () => {
    const closesOnExec = (fd: number) => /flags:\t0*2/.test(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'));
    const fd = open('/dev/null', open_.readOnly);
    expect(closesOnExec(fd)).toBe(true);
    setCloseOnExec(fd, false);
    expect(closesOnExec(fd)).toBe(false);
    duplicate(fd, fd + 40);
    expect(closesOnExec(fd + 40)).toBe(true);
    close(fd + 40);
    close(fd);
  });
});

describe('errors', () => {
  it("have the shape of Node's", () => {
    const path = at('missing');
    try {
      open(path, open_.readOnly);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(SystemError);
      expect(error).toMatchObject({ code: 'ENOENT', errno: -2, syscall: 'openat', path });
      expect(error).toHaveProperty('message', `ENOENT: no such file or directory, openat '${path}'`);
    }
  });

  it('name a NUL in a path before the kernel sees a shorter one', () => {
    expect(() => open('/etc/passwd\0.txt', open_.readOnly)).toThrow('NUL');
  });
});

describe('whole files', () => {
  it('are read as bytes and text', () => {
    writeFileSync(at('whole'), 'grüße');
    expect(readText(at('whole'))).toBe('grüße');
    expect(readFile(at('whole'))).toHaveLength(7);
    expect(readTextIfPresent(at('absent'))).toBeUndefined();
    expect(readTextIfPresent(at('whole/below'))).toBeUndefined();
  });

  it('are refused above a size, whatever stat says of them', () => {
    writeFileSync(at('big'), new Uint8Array(100_000));
    expect(readFile(at('big'), 100_000)).toHaveLength(100_000);
    expect(() => readFile(at('big'), 99_999)).toThrow('EFBIG');
    expect(() => readFile('/dev/zero', 10_000)).toThrow('EFBIG');
    expect(readText('/proc/self/status')).toContain('Pid:');
  });

  it('are written and appended to', () => {
    writeFile(at('out'), 'one\n');
    appendFile(at('out'), 'two\n');
    expect(readText(at('out'))).toBe('one\ntwo\n');
  });
});

describe('openInRoot', () => {
  it('keeps symlinks and .. inside', () => {
    mkdirSync(at('root/etc'), { recursive: true });
    writeFileSync(at('root/etc/name'), 'inside');
    symlinkSync('/etc/name', at('root/absolute'));
    symlinkSync('../../../../etc/name', at('root/relative'));
    using root = File.open(at('root'), open_.path | open_.directory);
    for (const name of ['absolute', 'relative', '../etc/name', '/etc/name']) {
      using file = new File(openInRoot(root.fd, name, open_.readOnly));
      expect(textOf(file.fd)).toBe('inside');
    }
    expect(() => openInRoot(root.fd, '/etc/passwd', open_.readOnly)).toThrow('ENOENT');
  });
});
