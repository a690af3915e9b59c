import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { utf8Decode } from '../../../src/native/engine.ts';
import { close } from '../../../src/native/files.ts';
import { Loop } from '../../../src/native/loop.ts';
import { receive } from '../../../src/native/messages.ts';
import { bind, openSocket, type UnixAddress } from '../../../src/native/sockets.ts';
import type { Report } from '../../../src/supervisor/report.ts';
import { ServiceManager } from '../../../src/supervisor/service-manager.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

const scratch = nativeScratch();
let count = 0;

/** A manager's socket, what has come to it, and what was warned of. */
function listening(address: UnixAddress) {
  const loop = new Loop();
  const socket = openSocket('datagram', { nonBlocking: true });
  bind(socket, address);
  const heard = () => {
    const texts: string[] = [];
    for (let got = receive(socket, 4096); got !== undefined; got = receive(socket, 4096))
      texts.push(utf8Decode(got.bytes));
    return texts;
  };
  const turn = (milliseconds: number) => {
    loop.after(milliseconds, () => loop.stop());
    loop.run();
  };
  return { loop, socket, heard, turn };
}

describe('ServiceManager', () => {
  const warnings: string[] = [];
  const report = { warn: (message: string) => warnings.push(message) } as unknown as Report;
  let path = '';
  beforeEach(() => {
    warnings.length = 0;
    path = join(scratch, `notify-${++count}`);
  });

  it.each([
    ['a path', () => [path, { kind: 'path', path }] as const],
    ['an abstract name', () => [`@${path}`, { kind: 'abstract', name: path }] as const],
  ])('tells a manager at %s', (_, names) => {
    const [name, address] = names();
    const { loop, heard } = listening(address);
    const manager = new ServiceManager(loop, report, name);
    manager.ready();
    manager.stopping();
    manager.stopping();
    expect(heard()).toEqual(['READY=1', 'STOPPING=1']);
  });

  it('passes a status on as one line, and of many in a moment the first and the last', () => {
    const { loop, heard, turn } = listening({ kind: 'path', path });
    const manager = new ServiceManager(loop, report, path);
    manager.status('up\nREADY=1\x1b[2J');
    for (let n = 0; n < 100; n++) manager.status(`at ${n}`);
    expect(heard()).toEqual(['STATUS=up READY=1 [2J']);
    turn(1100);
    expect(heard()).toEqual(['STATUS=at 99']);
  });

  it('tries again where the queue is full', () => {
    const { loop, heard, turn } = listening({ kind: 'path', path });
    const manager = new ServiceManager(loop, report, path);
    for (let n = 0; n < 1000; n++) manager.ready();
    manager.stopping();
    expect(heard()).not.toContain('STOPPING=1');
    turn(150);
    expect(heard().join('\n')).toMatch(/STOPPING=1/);
  });

  it('goes on without one that is gone, does not speak, or was never there', () => {
    const { loop, socket } = listening({ kind: 'path', path });
    const manager = new ServiceManager(loop, report, path);
    close(socket);
    manager.ready();
    expect(warnings).toEqual([]);
    new ServiceManager(loop, report, `${path}-nowhere`).ready();
    new ServiceManager(loop, report, 'vsock:2:9').ready();
    new ServiceManager(loop, report, '').ready();
    expect(warnings).toEqual([
      expect.stringContaining('no such file or directory'),
      'NOTIFY_SOCKET=vsock:2:9: neither a path nor an abstract name',
    ]);
  });
});
