import { describe, expect, it } from 'vitest';
import { setNonBlocking } from '../../../src/native/descriptors.ts';
import { close, readNow, writeAll } from '../../../src/native/files.ts';
import { Loop } from '../../../src/native/loop.ts';
import { openPipe } from '../../../src/native/pipes.ts';
import { socketPair } from '../../../src/native/sockets.ts';
import { Messages } from '../../../src/supervisor/running/messages.ts';
import { Qmp } from '../../../stage1-kvm/qmp.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

nativeScratch();

/** A QEMU played by the test: what it says, then what was said to it. */
function qemu() {
  const loop = new Loop();
  const [fd, peer] = socketPair('stream');
  for (const end of [fd, peer]) setNonBlocking(end, true);
  const log: string[] = [];
  const qmp = new Qmp(loop, fd, {
    shutdown: (reason) => log.push(`shutdown ${reason}`),
    stopped: (status) => log.push(`stopped ${status}`),
  });
  const turn = () => {
    loop.after(10, () => loop.stop());
    loop.run();
    return log;
  };
  const say = (text: string) => {
    writeAll(peer, Buffer.from(text));
    return turn();
  };
  const heard = () => {
    const buffer = Buffer.alloc(1000);
    return buffer.subarray(0, readNow(peer, buffer) ?? 0).toString();
  };
  return { say, turn, heard, peer, qmp };
}

const event = (name: string, data: unknown = {}) => `${JSON.stringify({ event: name, data })}\r\n`;

describe('Qmp', () => {
  it('asks for events first', () => {
    expect(qemu().heard()).toBe('{"execute":"qmp_capabilities"}\n');
  });

  it.each([
    [{ guest: true, reason: 'guest-shutdown' }, 'shutdown power-off'],
    [{ guest: true, reason: 'guest-reset' }, 'shutdown reset'],
    [{ guest: true, reason: 'guest-panic' }, 'shutdown reset'],
    ['rubbish', 'shutdown power-off'],
  ])('reports the end of the guest: %j', (data, expected) => {
    expect(qemu().say(event('SHUTDOWN', data))).toEqual([expected]);
  });

  it('stops the guest and lets it go on, in the order in which that is asked for', () => {
    const { say, heard, turn, qmp } = qemu();
    heard();
    const log: unknown[] = [];
    qmp.pause((refusal) => log.push(['paused', refusal]));
    qmp.resume((refusal) => log.push(['resumed', refusal]));
    turn();
    expect(heard()).toBe('{"execute":"stop","id":1}\n{"execute":"cont","id":2}\n');
    expect(log).toEqual([]);
    const events = say(
      `${event('STOP')}{"return":{},"id":1}\r\n${event('RESUME')}{"error":{"class":"GenericError","desc":"no"},"id":2}\r\n`,
    );
    expect(log).toEqual([
      ['paused', undefined],
      ['resumed', 'no'],
    ]);
    // It was asked why, and that it was told to is no failure; any other reason is.
    heard();
    expect(say('{"return":{"running":false,"status":"paused"}}\r\n')).toEqual([]);
    expect(say('{"return":{"running":false,"status":"internal-error"}}\r\n')).toEqual([
      'stopped internal-error',
    ]);
    expect(events).toEqual(['stopped internal-error']);
  });

  it('that QEMU stops the guest without having been told to is a failure', () => {
    const { say } = qemu();
    expect(say('{"return":{"running":false,"status":"paused"}}\r\n')).toEqual(['stopped paused']);
  });

  it('says when there is no QEMU to be told', () => {
    const { qmp } = qemu();
    const log: unknown[] = [];
    qmp.pause((refusal) => log.push(refusal));
    qmp.close();
    qmp.resume((refusal) => log.push(refusal));
    expect(log).toEqual(['QEMU is gone', 'QEMU is gone']);
  });

  it('asks why the guest was stopped', () => {
    const { say, heard } = qemu();
    heard();
    expect(say(event('STOP'))).toEqual([]);
    expect(heard()).toBe('{"execute":"query-status"}\n');
    expect(say('{"return":{"running":false,"status":"internal-error"}}\r\n')).toEqual([
      'stopped internal-error',
    ]);
  });

  it('believes nothing of a status that is no text', () => {
    expect(qemu().say('{"return":{"running":false,"status":{"toString":1}}}\r\n')).toEqual([
      'stopped it does not say why',
    ]);
  });

  it('asks no more of a QEMU that does not listen', () => {
    const { peer, heard, turn } = qemu();
    heard();
    writeAll(peer, Buffer.from(`${event('STOP')}${event('STOP')}`));
    close(peer);
    expect(turn()).toEqual([]);
  });

  it('is not disturbed by anything else', () => {
    const greeting = '{"QMP":{"version":{}}}\r\n{"return":{}}\r\n[1]\nnull\nno json\n';
    expect(qemu().say(`${greeting}${event('RTC_CHANGE')}{"event":"SHUT`)).toEqual([]);
  });

  it('takes an event in pieces', () => {
    const { say } = qemu();
    const text = event('SHUTDOWN', { reason: 'guest-reset' });
    say(text.slice(0, 20));
    expect(say(text.slice(20))).toEqual(['shutdown reset']);
  });

  it('hears no more of a QEMU that does not end its line', () => {
    const { say } = qemu();
    say('x'.repeat(70_000));
    expect(() => say('x')).toThrow(/EPIPE/);
  });
});

describe('Messages', () => {
  it('keeps the last lines and shows each as it comes', () => {
    const loop = new Loop();
    const pipe = openPipe({ nonBlocking: true });
    const shown: string[] = [];
    const messages = new Messages(loop, pipe.read, 1000, (line) => shown.push(line));
    writeAll(pipe.write, Buffer.from('one\r\n\x1b[31mtw'));
    loop.after(10, () => loop.stop());
    loop.run();
    expect(shown).toEqual(['one']);
    writeAll(pipe.write, Buffer.from('o\nthree'));
    close(pipe.write);
    expect(messages.lastLines(2)).toEqual(['[31mtwo', 'three']);
    expect(shown).toEqual(['one', '[31mtwo']);
  });
});
