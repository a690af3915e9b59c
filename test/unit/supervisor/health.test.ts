import { describe, expect, it } from 'vitest';
import type { AppPlan, BootPlan } from '../../../src/abi/boot-plan.ts';
import { PROTOCOL_VERSION } from '../../../src/abi/guest.ts';
import { type HealthPlan, type HealthState, UNCHECKED } from '../../../src/abi/health.ts';
import { setNonBlocking } from '../../../src/native/descriptors.ts';
import { close, readNow, writeAll } from '../../../src/native/files.ts';
import { Loop } from '../../../src/native/loop.ts';
import { socketPair } from '../../../src/native/sockets.ts';
import { Health } from '../../../src/supervisor/health.ts';
import { judge } from '../../../src/supervisor/health-verdict.ts';
import { Session } from '../../../src/supervisor/session.ts';
import { useClosing } from '../../support/closing.ts';
import { nativeScratch } from '../../support/native-scratch.ts';
import { unheardEvents } from '../../support/unheard-events.ts';

nativeScratch();
const closing = useClosing();

const PLAN: HealthPlan = { command: ['/check'], interval: 100, timeout: 10_000, retries: 2, startPeriod: 0 };
const ok = { exitCode: 0, output: 'fine' };
const bad = { exitCode: 1, output: 'bad' };

describe('the verdict', () => {
  const judged = (results: readonly (typeof ok)[], plan = PLAN, upMs = 0) =>
    results.reduce<HealthState>((state, result, n) => judge(plan, state, result, upMs, n), UNCHECKED);

  it('is starting until something is known', () => {
    expect(judged([bad])).toEqual({
      status: 'starting',
      failures: 1,
      checked: 0,
      exitCode: 1,
      output: 'bad',
    });
  });

  it('is healthy after one success, unhealthy after so many failures in a row', () => {
    expect(judged([ok]).status).toBe('healthy');
    expect(judged([ok, bad])).toMatchObject({ status: 'healthy', failures: 1 });
    expect(judged([ok, bad, bad])).toMatchObject({ status: 'unhealthy', failures: 2 });
    expect(judged([bad, ok, bad]).status).toBe('healthy');
    expect(judged([bad, bad, ok])).toMatchObject({ status: 'healthy', failures: 0 });
  });

  it('does not count failures of the start period, but shows them', () => {
    const patient = { ...PLAN, startPeriod: 1000 };
    expect(judged([bad, bad, bad], patient, 999)).toEqual({ ...UNCHECKED, checked: 2, ...bad });
    expect(judged([bad, bad], patient, 1000).status).toBe('unhealthy');
    expect(judged([ok, bad, bad], patient, 999).status).toBe('unhealthy');
  });
});

const app = { name: 'web', process: { argv: ['/app'], uid: 7 } } as unknown as AppPlan;
const pod = { hostname: 'pod', apps: [app] } as unknown as BootPlan;
const exited = (id: string, code: number) => ({ type: 'exited', id, status: { kind: 'exited', code } });

interface Heard {
  readonly type: string;
}

interface Exec {
  readonly id: string;
  readonly streams: { readonly stdout: number; readonly stderr: number };
}

/** A pod of one app whose guest the test plays. */
function scripted(plan = PLAN) {
  const loop = new Loop();
  const [control, guest] = socketPair('stream');
  const [data, guestData] = socketPair('stream');
  for (const fd of [control, data, guest, guestData]) setNonBlocking(fd, true);
  const states: HealthState[] = [];
  const health = new Health(loop, (_, state) => states.push(state));
  const session: Session = new Session(
    loop,
    { control, data },
    {
      hello: () => {
        health.open(session);
        health.expect('web', plan);
        return pod;
      },
      app: () => ({
        started: () => health.started('web'),
        failed: () => {},
        exited: () => health.ended('web'),
        restarting: () => {},
      }),
      ...unheardEvents,
    },
  );
  closing(() => {
    health.close();
    session.close();
    for (const fd of [guest, guestData]) close(fd);
    loop[Symbol.dispose]();
  });
  const turn = (milliseconds: number) => {
    loop.after(milliseconds, () => loop.stop());
    loop.run();
  };
  const say = (...messages: readonly unknown[]) => {
    for (const message of messages) {
      const text = JSON.stringify(message);
      const header = Buffer.alloc(4);
      header.writeUInt32LE(text.length);
      writeAll(guest, Buffer.concat([header, Buffer.from(text)]));
    }
  };
  const print = (stream: number, text: string) => {
    const header = Buffer.alloc(8);
    header.writeUInt32LE(stream);
    header.writeUInt32LE(text.length, 4);
    writeAll(guestData, Buffer.concat([header, Buffer.from(text)]));
  };
  /** What the guest has been sent since. */
  const heard = (): Heard[] => {
    const bytes = Buffer.alloc(65536);
    const length = readNow(guest, bytes) ?? 0;
    const messages = [];
    for (let at = 0; at < length; at += 4 + bytes.readUInt32LE(at))
      messages.push(JSON.parse(bytes.toString('utf8', at + 4, at + 4 + bytes.readUInt32LE(at))));
    return messages;
  };
  say(
    { type: 'hello', version: PROTOCOL_VERSION, kernel: '6.12', initMs: 400, helloMs: 420 },
    { type: 'started', id: 'web', pid: 50 },
  );
  /** Until the check is asked for; gives its exec message. */
  const check = () => {
    for (let turns = 0; turns < 500; turns++) {
      turn(10);
      const exec = heard().find(({ type }) => type === 'exec');
      if (exec !== undefined) return exec as Heard & Exec;
    }
    throw new Error('no check');
  };
  return { health, states, say, print, heard, turn, check };
}

describe('a check', () => {
  it('is a process in the app, as the app would run it; its output is kept', () => {
    const { say, print, turn, states, check } = scripted();
    const exec = check();
    expect(exec).toMatchObject({
      app: 'web',
      process: { argv: ['/check'], uid: 7 },
      streams: { stdin: null },
    });
    expect(states).toEqual([UNCHECKED]);
    print(exec.streams.stdout, 'line one\n');
    print(exec.streams.stderr, '\x1b[31mline two\n');
    for (const stream of [exec.streams.stdout, exec.streams.stderr]) print(stream, '');
    say({ type: 'started', id: exec.id, pid: 51 }, exited(exec.id, 3));
    turn(40);
    expect(states.at(-1)).toMatchObject({ status: 'starting', failures: 1, exitCode: 3 });
    expect(states.at(-1)?.output).toMatch(/line one\n.*line two/);
    expect(states.at(-1)?.output).not.toContain('\x1b');
  });

  it('that takes too long is killed and has failed; the next one waits for its end', () => {
    const { say, print, turn, states, check, heard } = scripted({ ...PLAN, timeout: 100 });
    const first = check();
    say({ type: 'started', id: first.id, pid: 51 });
    for (let turns = 0; states.length < 2 && turns < 100; turns++) turn(10);
    expect(states.at(-1)).toMatchObject({ failures: 1, exitCode: null, output: 'it took longer than 0.1 s' });
    expect(heard()).toContainEqual({ type: 'end-session', id: first.id });
    for (let turns = 0; states.length < 3 && turns < 100; turns++) turn(10);
    expect(states.at(-1)).toMatchObject({ status: 'unhealthy', output: 'the check before has not ended' });
    expect(heard().filter(({ type }) => type === 'exec')).toEqual([]);
    say(exited(first.id, 137));
    for (const stream of [first.streams.stdout, first.streams.stderr]) print(stream, '');
    expect(check().id).not.toBe(first.id);
  });

  it('that cannot be started has failed', () => {
    const { say, turn, states, check } = scripted();
    const { id } = check();
    say({ type: 'failed', id, step: 'exec', message: 'no such program' });
    turn(40);
    expect(states.at(-1)).toMatchObject({ failures: 1, exitCode: null, output: 'no such program' });
  });

  it('is none of an app that has ended, or of a pod that stands still', () => {
    const { health, say, turn, states, check, heard } = scripted();
    const first = check();
    health.pause();
    turn(300);
    expect(states).toHaveLength(1);
    health.resume();
    say({ type: 'started', id: first.id, pid: 51 }, exited('web', 0));
    turn(40);
    expect(heard()).toContainEqual({ type: 'end-session', id: first.id });
    say(exited(first.id, 137));
    turn(300);
    expect(heard().filter(({ type }) => type === 'exec')).toEqual([]);
    expect(states).toHaveLength(1);
  });
});
