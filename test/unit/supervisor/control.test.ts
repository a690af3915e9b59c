import { existsSync, statSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ControlRequest } from '../../../src/abi/control.ts';
import { close, open, open_ } from '../../../src/native/files.ts';
import { Loop } from '../../../src/native/loop.ts';
import { send } from '../../../src/native/messages.ts';
import { fstat } from '../../../src/native/stat.ts';
import { ControlClient } from '../../../src/supervisor/control-client.ts';
import { type Caller, ControlServer } from '../../../src/supervisor/control-server.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

const scratch = nativeScratch();
const before = process.cwd();
const ME = process.getuid?.() ?? 0;
const stop: ControlRequest = { type: 'stop', force: true };

let loop: Loop;
let server: ControlServer;
let requests: { request: ControlRequest; fds: readonly number[]; caller: Caller }[];

beforeEach(() => {
  process.chdir(scratch);
  loop = new Loop();
  requests = [];
  server = serve(ME);
});
afterEach(() => {
  server.close();
  process.chdir(before);
});

function serve(owner: number): ControlServer {
  const request = (request: ControlRequest, fds: readonly number[], caller: Caller) =>
    requests.push({ request, fds, caller });
  return new ControlServer(loop, { request }, owner);
}

function turn(): void {
  loop.after(10, () => loop.stop());
  loop.run();
}

describe('ControlServer', () => {
  it('is for its owner, and leaves nothing behind', () => {
    expect(statSync('ctl').mode & 0o7777).toBe(0o600);
    server.close();
    expect(existsSync('ctl')).toBe(false);
  });

  it('hands a request on and its answer back', () => {
    using client = ControlClient.connect();
    client.send(stop);
    turn();
    expect(requests[0]?.request).toEqual(stop);
    requests[0]?.caller.answer({ type: 'done' });
    requests[0]?.caller.finish();
    expect(client.receive()).toEqual({ type: 'done' });
    expect(client.receive()).toBeUndefined();
  });

  it('hangs up on anybody but its owner', () => {
    server.close();
    server = serve(ME + 1);
    using client = ControlClient.connect();
    client.send(stop);
    turn();
    expect(client.receive()).toBeUndefined();
    expect(requests).toEqual([]);
  });

  it('hands descriptors on', () => {
    using client = ControlClient.connect();
    const file = open('/dev/null', open_.readOnly);
    client.send(stop, [file, file]);
    turn();
    expect(requests[0]?.fds.map((fd) => fstat(fd).kind)).toEqual(['char', 'char']);
    for (const fd of [file, ...(requests[0]?.fds ?? [])]) close(fd);
  });

  it('says when a caller is gone', () => {
    const client = ControlClient.connect();
    client.send(stop);
    turn();
    let gone = 0;
    requests[0]?.caller.onGone(() => gone++);
    client[Symbol.dispose]();
    turn();
    requests[0]?.caller.answer({ type: 'done' });
    expect(gone).toBe(1);
  });

  it.each(['no json', '{"type":"reboot"}', '{}'])('refuses %s', (text) => {
    using client = ControlClient.connect();
    send(client.fd, Buffer.from(text));
    turn();
    expect(requests).toEqual([]);
    expect(client.receive()?.type).toBe('refused');
  });

  it('refuses what is too large', () => {
    using client = ControlClient.connect();
    send(client.fd, Buffer.alloc(70_000, 'x'));
    turn();
    expect(client.receive()).toEqual({ type: 'refused', message: 'the request is too large' });
  });

  it('takes the place of a socket that a killed supervisor left', () => {
    new ControlServer(new Loop(), { request: () => {} });
    expect(existsSync('ctl')).toBe(true);
  });
});

describe('ControlClient', () => {
  it('says that there is no supervisor', () => {
    server.close();
    expect(() => ControlClient.connect()).toThrow('the pod is not running');
  });
});
