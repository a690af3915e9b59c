import { describe, expect, it } from 'vitest';
import type { BootPlan } from '../../../src/abi/boot-plan.ts';
import { type ControlAnswer, parseControlRequest } from '../../../src/abi/control.ts';
import { PROTOCOL_VERSION } from '../../../src/abi/guest.ts';
import { setNonBlocking } from '../../../src/native/descriptors.ts';
import { close, open, open_, readNow, writeAll } from '../../../src/native/files.ts';
import { Loop } from '../../../src/native/loop.ts';
import { socketPair } from '../../../src/native/sockets.ts';
import { ExecSession } from '../../../src/supervisor/exec-session.ts';
import { Session } from '../../../src/supervisor/session.ts';
import { useClosing } from '../../support/closing.ts';
import { nativeScratch } from '../../support/native-scratch.ts';
import { unheardEvents } from '../../support/unheard-events.ts';

nativeScratch();
const closing = useClosing();

const APP = { argv: ['/app'], env: ['A=1'], workingDirectory: '/', uid: 7, capabilities: [5] };
const plan = { hostname: 'pod', apps: [{ name: 'web', process: APP }] } as unknown as BootPlan;
const hello = { type: 'hello', version: PROTOCOL_VERSION, kernel: '6.12', initMs: 400, helloMs: 420 };
const web = { type: 'started', id: 'web', pid: 50 };
const started = { type: 'started', id: 'exec:1', pid: 51 };
const TERM = 15;
const HUP = 1;

/** A pod whose guest the test plays, and a caller whose answers it reads. */
function scripted(...said: readonly unknown[]) {
  const loop = new Loop();
  const [control, guest] = socketPair('stream');
  const [data, guestData] = socketPair('stream');
  for (const fd of [control, data, guest]) setNonBlocking(fd, true);
  const ignored = { started: () => {}, failed: () => {}, exited: () => {}, restarting: () => {} };
  const session = new Session(
    loop,
    { control, data },
    {
      hello: () => plan,
      app: () => ignored,
      ...unheardEvents,
    },
  );
  closing(() => {
    session.close();
    for (const fd of [guest, guestData]) close(fd);
    loop[Symbol.dispose]();
  });
  const say = (...messages: readonly unknown[]) => {
    for (const message of messages) writeAll(guest, packet(JSON.stringify(message)));
    loop.after(20, () => loop.stop());
    loop.run();
  };
  const answers: ControlAnswer[] = [];
  let hangUp = () => {};
  const caller = {
    answer: (answer: ControlAnswer) => void answers.push(answer),
    onGone: (gone: () => void) => {
      hangUp = gone;
    },
    finish: () => {},
  };
  const exec = () => {
    const request = { type: 'exec', app: 'web', argv: ['/bin/true'], terminal: null } as const;
    const fds = [open_.readOnly, open_.writeOnly, open_.writeOnly].map((flags) => open('/dev/null', flags));
    return ExecSession.start(session, request, fds, caller);
  };
  say(...said);
  return { say, exec, answers, heard: () => heardBy(guest), hangUp: () => hangUp() };
}

function packet(text: string): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt32LE(Buffer.byteLength(text));
  return Buffer.concat([header, Buffer.from(text)]);
}

/** What the guest has been told of exec sessions since. */
function heardBy(guest: number): unknown[] {
  const buffer = Buffer.alloc(65536);
  let rest = buffer.subarray(0, readNow(guest, buffer) ?? 0);
  const messages: { type: string }[] = [];
  for (; rest.length > 0; rest = rest.subarray(4 + rest.readUInt32LE()))
    messages.push(JSON.parse(rest.subarray(4, 4 + rest.readUInt32LE()).toString()));
  return messages.filter(({ type }) => type === 'exec' || type === 'signal');
}

const signal = (number: number) => ({ type: 'signal', target: 'exec:1', signal: number });

describe('ExecSession', () => {
  it('starts what its app could be, with another command', () => {
    const { exec, heard } = scripted(hello, web);
    exec();
    expect(heard()).toMatchObject([{ type: 'exec', app: 'web', process: { ...APP, argv: ['/bin/true'] } }]);
  });

  it('keeps a signal until there is a process for it', () => {
    const { say, exec, heard } = scripted(hello, web);
    const session = exec();
    session?.signal(TERM);
    expect(heard()).toHaveLength(1);
    say(started);
    expect(heard()).toEqual([signal(TERM)]);
    session?.signal(HUP);
    say();
    expect(heard()).toEqual([signal(HUP)]);
  });

  it('hangs up on a process whose caller went before it came', () => {
    const { say, exec, heard, hangUp } = scripted(hello, web);
    exec();
    hangUp();
    say(started);
    expect(heard()).toContainEqual(signal(HUP));
  });

  it('tells why a process could not be started, with the code of an app that failed so', () => {
    const { say, exec, answers } = scripted(hello, web);
    exec();
    say({ type: 'failed', id: 'exec:1', step: 'exec', message: 'no such file' });
    expect(answers).toEqual([{ type: 'failed', code: 203, message: 'no such file' }]);
  });

  it.each([
    ['the guest is up', [], 'the pod is still starting'],
    ['its app runs', [hello], 'app web is not running'],
  ])('is refused before %s', (_, said, message) => {
    const { exec, answers } = scripted(...said);
    expect(exec()).toBeUndefined();
    expect(answers).toEqual([{ type: 'refused', message }]);
  });
});

describe('a request for a signal', () => {
  it.each([0, 65, 1.5, '9', null])('is refused with %j', (number) => {
    expect(() => parseControlRequest({ type: 'signal', signal: number })).toThrow('signal');
  });
});
