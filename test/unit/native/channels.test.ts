import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { setPipeSize } from '../../../src/native/descriptors.ts';
import { utf8Encode } from '../../../src/native/engine.ts';
import { close, open, open_, read, readNow, writeAll, writeNow } from '../../../src/native/files.ts';
import { packRights, parseRights, receive, send } from '../../../src/native/messages.ts';
import { openPipe, spliceNow } from '../../../src/native/pipes.ts';
import {
  accept,
  bind,
  boundAddress,
  connectTo,
  listenAt,
  openSocket,
  packAddress,
  peerCredentials,
  socketPair,
} from '../../../src/native/sockets.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

const scratch = nativeScratch();
const bytes = (text: string) => utf8Encode(text);

function textOf(fd: number): string {
  const buffer = new Uint8Array(100);
  return Buffer.from(buffer.subarray(0, read(fd, buffer))).toString();
}

describe('pipes', () => {
  it('have a size', () => {
    const pipe = openPipe();
    expect(setPipeSize(pipe.read, 1 << 17)).toBe(1 << 17);
  });

  it('block or say that they would', () => {
    const pipe = openPipe({ nonBlocking: true });
    expect(readNow(pipe.read, new Uint8Array(1))).toBeUndefined();
    while (writeNow(pipe.write, new Uint8Array(4096)) !== undefined) {}
    close(pipe.write);
    expect(readNow(pipe.read, new Uint8Array(10))).toBe(10);
  });

  it('pass bytes on without reading them', () => {
    const [from, to] = [openPipe({ nonBlocking: true }), openPipe({ nonBlocking: true })];
    expect(spliceNow(from.read, to.write, 100)).toBeUndefined();
    writeAll(from.write, bytes('spliced'));
    expect(spliceNow(from.read, to.write, 3)).toBe(3);
    expect(spliceNow(from.read, to.write, 100)).toBe(4);
    expect(textOf(to.read)).toBe('spliced');
    close(from.write);
    expect(spliceNow(from.read, to.write, 3)).toBe(0);
  });
});

describe('unix sockets', () => {
  it('carry messages and open files', () => {
    const [a, b] = socketPair('seqpacket');
    const pipe = openPipe();
    expect(send(a, bytes('take this'), [pipe.read, pipe.write])).toBe(9);
    const received = receive(b, 100, 4);
    expect(received?.truncated).toBe(false);
    expect(Buffer.from(received?.bytes ?? []).toString()).toBe('take this');
    const [reader = -1, writer = -1] = received?.fds ?? [];
    writeAll(writer, bytes('through'));
    expect(textOf(pipe.read)).toBe('through');
    expect(reader).not.toBe(pipe.read);
  });

  it('say when a message or its files did not fit', () => {
    const [a, b] = socketPair('seqpacket', { nonBlocking: true });
    expect(receive(b, 10)).toBeUndefined();
    send(a, bytes('too long'));
    expect(receive(b, 3)).toMatchObject({ truncated: true });
    send(a, bytes('x'), [0, 1, 2, 0, 1, 2]);
    expect(receive(b, 3)).toMatchObject({ truncated: true, fds: [] });
    close(a);
    expect(receive(b, 3)?.bytes).toHaveLength(0);
  });

  it('speak with others through a path', async () => {
    const path = join(scratch, 'socket');
    const listening = listenAt('stream', { kind: 'path', path }, { nonBlocking: true });
    expect(accept(listening)).toBeUndefined();
    const client = connect(path);
    await new Promise((resolve) => client.once('connect', resolve));
    const connection = accept(listening) ?? -1;
    expect(peerCredentials(connection)).toEqual({
      pid: process.pid,
      uid: process.getuid?.(),
      gid: process.getgid?.(),
    });
    const said = new Promise((resolve) => client.once('data', resolve));
    send(connection, bytes('hello node'));
    expect(String(await said)).toBe('hello node');
    close(connection);
    client.destroy();
    expect(boundAddress(listening)).toEqual({ kind: 'path', path });
  });

  it('connect to what listens', async () => {
    const path = join(scratch, 'server');
    const server = createServer().listen(path);
    await new Promise((resolve) => server.once('listening', resolve));
    close(connectTo('stream', { kind: 'path', path }));
    server.close();
    expect(() => connectTo('stream', { kind: 'path', path: join(scratch, 'none') })).toThrow(
      `ENOENT: no such file or directory, connect '${join(scratch, 'none')}'`,
    );
  });

  it('get a name from the kernel', () => {
    const fd = openSocket('stream');
    bind(fd, { kind: 'auto' });
    const address = boundAddress(fd);
    expect(address).toMatchObject({ kind: 'abstract', name: expect.stringMatching(/^[0-9a-f]{5}$/) });
    expect(boundAddress(listenAt('seqpacket', { kind: 'abstract', name: `rkt-${process.pid}` }))).toEqual({
      kind: 'abstract',
      name: `rkt-${process.pid}`,
    });
  });

  it('refuse paths that do not fit', () => {
    expect(() => packAddress({ kind: 'path', path: 'x'.repeat(108) })).toThrow('ENAMETOOLONG');
    expect(packAddress({ kind: 'path', path: 'x'.repeat(107) })).toHaveLength(110);
  });
});

it('packs and parses rights', () => {
  expect(parseRights(packRights([3, 7, 9]))).toEqual([3, 7, 9]);
  expect(packRights([3])).toHaveLength(24);
  expect(parseRights(packRights([]))).toEqual([]);
});

it('opens nothing twice', () => {
  const fd = open('/dev/null', open_.writeOnly);
  close(fd);
  expect(() => close(fd)).toThrow('EBADF');
});
