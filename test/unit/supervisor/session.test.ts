import { describe, expect, it } from 'vitest';
import { type AppPlan, type BootPlan, NO_RESTART, type RestartPlan } from '../../../src/abi/boot-plan.ts';
import { PROTOCOL_VERSION } from '../../../src/abi/guest.ts';
import { setNonBlocking } from '../../../src/native/descriptors.ts';
import { close, readNow, writeAll } from '../../../src/native/files.ts';
import { Loop } from '../../../src/native/loop.ts';
import { openPipe } from '../../../src/native/pipes.ts';
import { socketPair } from '../../../src/native/sockets.ts';
import { Session } from '../../../src/supervisor/session.ts';
import { useClosing } from '../../support/closing.ts';
import { nativeScratch } from '../../support/native-scratch.ts';

nativeScratch();
const closing = useClosing();

const app = (name: string, restart: RestartPlan = NO_RESTART) =>
  ({ name, restart }) as BootPlan['apps'][number];
const podOf = (...apps: AppPlan[]) => ({ hostname: 'pod', apps }) as unknown as BootPlan;
const plan = podOf(app('a'), app('b'));

/** Of a guest that is not to be this pod's. */
const GIVEN_UP = 'given up';

/** A session whose guest the test plays: `say` what it says, then look at the log. */
function scripted(pod = plan) {
  const loop = new Loop();
  const [control, guestControl] = socketPair('stream');
  const [data, guestData] = socketPair('stream');
  for (const fd of [control, data, guestControl]) setNonBlocking(fd, true);
  const log: string[] = [];
  const session = new Session(
    loop,
    { control, data },
    {
      hello: (kernel) => {
        log.push(`hello ${kernel}`);
        return kernel === GIVEN_UP ? undefined : pod;
      },
      app: (name) => ({
        started: (pid) => log.push(`${name} started ${pid}`),
        failed: (step, message) => log.push(`${name} failed at ${step}: ${message}`),
        exited: (code) => log.push(`${name} exited ${code}`),
        restarting: ({ code, delayMs, count }) =>
          log.push(`${name} ended ${code}, restart ${count} in ${delayMs}`),
      }),
      ready: () => log.push('ready'),
      notified: (app, { state, status }) => log.push(`${app} says ${state} ${status}`),
      warning: (message) => log.push(`warning ${message}`),
      ended: (code) => log.push(`ended ${code}`),
      settled: () => log.push('settled'),
      failed: ({ code, message }) => log.push(`${code}: ${message}`),
    },
  );
  const guestEnds = new Set([guestControl, guestData]);
  const hangUp = () => {
    if (guestEnds.delete(guestControl)) close(guestControl);
  };
  closing(() => {
    session.close();
    for (const fd of guestEnds) close(fd);
    loop[Symbol.dispose]();
  });
  const turn = () => {
    loop.after(20, () => loop.stop());
    loop.run();
  };
  const say = (...messages: unknown[]) => {
    for (const message of messages) writeAll(guestControl, packet(JSON.stringify(message)));
    turn();
    return log;
  };
  return { session, say, log, turn, guestControl, guestData, hangUp };
}

function packet(text: string): Buffer {
  const header = Buffer.alloc(4);
  header.writeUInt32LE(Buffer.byteLength(text));
  return Buffer.concat([header, Buffer.from(text)]);
}

const hello = { type: 'hello', version: PROTOCOL_VERSION, kernel: '6.12', initMs: 400, helloMs: 420 };
const started = (id: string) => ({ type: 'started', id, pid: 50 });
const restarting = (id: string, count: number) => ({
  ...{ type: 'restarting', id, status: { kind: 'exited', code: 3 }, delayMs: 100 * count, count },
});
const exited = (id: string, code: number) => ({ type: 'exited', id, status: { kind: 'exited', code } });

describe('Session', () => {
  it('lives through a pod', () => {
    const { say, log } = scripted();
    say(hello, started('a'), started('b'), exited('a', 0), exited('b', 0), { type: 'ended' });
    expect(log).toEqual([
      'hello 6.12',
      'a started 50',
      'b started 50',
      'ready',
      'a exited 0',
      'b exited 0',
      'ended 0',
    ]);
  });

  it('says nothing to a guest that has been given up, and waits for the next', () => {
    const { say, guestControl } = scripted();
    const log = say({ ...hello, kernel: GIVEN_UP });
    expect(readNow(guestControl, Buffer.alloc(4096))).toBeUndefined();
    say(hello, started('a'));
    expect(log).toEqual([`hello ${GIVEN_UP}`, 'hello 6.12', 'a started 50']);
  });

  it('sends the plan as an answer to hello', () => {
    const { say, guestControl } = scripted();
    say(hello);
    const got = Buffer.alloc(4096);
    const length = readNow(guestControl, got) ?? 0;
    expect(JSON.parse(got.subarray(4, length).toString())).toEqual({
      type: 'boot',
      version: PROTOCOL_VERSION,
      plan,
    });
  });

  it('gives the pod the code of the first app that failed', () => {
    const killed = { type: 'exited', id: 'a', status: { kind: 'signaled', signal: 15 } };
    const { say } = scripted();
    expect(
      say(hello, started('a'), started('b'), exited('b', 3), killed, { type: 'ended' }).slice(-3),
    ).toEqual(['b exited 3', 'a exited 143', 'ended 3']);
  });

  it('records an app that could not be started', () => {
    const failed = { type: 'failed', id: 'a', step: 'exec', message: 'no such file' };
    const { say } = scripted();
    expect(say(hello, failed, started('b'), exited('b', 143), { type: 'ended' }).slice(1)).toEqual([
      'a failed at exec: no such file',
      'b started 50',
      'b exited 143',
      'ended 203',
    ]);
  });

  it('ends only when all output has been passed on', () => {
    const { session, say, log, turn, guestData } = scripted();
    const sink = openPipe();
    const stream = session.streams.allocate();
    session.streams.output(stream, sink.write);
    say(hello, started('a'), started('b'), exited('a', 0), exited('b', 0), { type: 'ended' });
    expect(log.at(-1)).toBe('b exited 0');
    writeAll(guestData, Uint8Array.from([stream, 0, 0, 0, 1, 0, 0, 0, 65, stream, 0, 0, 0, 0, 0, 0, 0]));
    turn();
    expect(log.at(-1)).toBe('ended 0');
  });

  it('has settled only after it has ended', () => {
    const { say } = scripted();
    const end = [exited('a', 0), exited('b', 0), { type: 'ended' }, { type: 'settled' }];
    expect(say(hello, started('a'), started('b'), ...end).slice(-2)).toEqual(['ended 0', 'settled']);
    expect(scripted().say(hello, { type: 'settled' }).at(-1)).toContain('settled out of turn');
  });

  it('tells exec sessions apart from apps', () => {
    const { session, say, log } = scripted();
    say(hello, started('a'), started('b'));
    expect(session.isRunning('a')).toBe(true);
    const id = session.expect({
      started: () => log.push('exec started'),
      failed: () => log.push('exec failed'),
      exited: (code) => log.push(`exec exited ${code}`),
    });
    say(started(id), exited(id, 9), exited('a', 0), exited('b', 0), { type: 'ended' });
    expect(log.slice(-5)).toEqual(['exec started', 'exec exited 9', 'a exited 0', 'b exited 0', 'ended 0']);
  });
});

describe('an app that is started again', () => {
  const pod = podOf(app('a', { policy: 'on-failure', most: 2 }), app('b'));

  it('is no failure of the pod as long as it is; the pod is ready once', () => {
    const { session, say } = scripted(pod);
    expect(say(hello, started('a'), restarting('a', 1)).at(-1)).toBe('a ended 3, restart 1 in 100');
    expect(session.isRunning('a')).toBe(false);
    expect(session.isAlive('a')).toBe(true);
    const end = [exited('a', 0), exited('b', 0), { type: 'ended' }];
    expect(say(started('a'), started('b'), restarting('a', 2), started('a'), ...end).slice(3)).toEqual([
      'a started 50',
      'b started 50',
      'ready',
      'a ended 3, restart 2 in 200',
      'a started 50',
      'a exited 0',
      'b exited 0',
      'ended 0',
    ]);
  });

  it('may fail to, or be ended while it waits', () => {
    const failed = { type: 'failed', id: 'a', step: 'exec', message: 'gone' };
    const { say } = scripted(pod);
    expect(say(hello, started('a'), restarting('a', 1), restarting('a', 2), failed).at(-1)).toMatch(
      /a failed/,
    );
    const other = scripted(pod);
    other.say(hello, started('a'), started('b'), restarting('a', 1), exited('a', 3), exited('b', 0));
    expect(other.say({ type: 'ended' }).at(-1)).toBe('ended 3');
  });
});

describe('a mutable pod', () => {
  const empty = { ...podOf(), staysWhenEmpty: true };

  it('is ready without apps; starts and stops them; their failures are their own', () => {
    const { session, say, log } = scripted(empty);
    expect(say(hello)).toEqual(['hello 6.12', 'ready']);
    session.startApp(app('new'));
    expect(() => session.startApp(app('new'))).toThrow('app new cannot be started now');
    say(started('new'), exited('new', 7));
    session.startApp(app('new'));
    say(started('new'), exited('new', 143), { type: 'ended' });
    expect(log.slice(2)).toEqual([
      'new started 50',
      'new exited 7',
      'new started 50',
      'new exited 143',
      'ended 0',
    ]);
  });

  it('is ready when those of its plan run or have failed to', () => {
    const { say } = scripted({ ...plan, staysWhenEmpty: true });
    const failed = { type: 'failed', id: 'a', step: 'exec', message: 'no such file' };
    expect(say(hello, failed, started('b')).slice(-2)).toEqual(['b started 50', 'ready']);
  });
});

describe('an app that says itself when it is ready', () => {
  const notice = (id: string, state: string | null, status: string | null) => ({
    type: 'notify',
    id,
    state,
    status,
  });
  const telling = { ...plan, apps: [{ ...app('a'), notify: true }, app('b')] };

  it('keeps the pod from being ready until then', () => {
    const { say, log } = scripted(telling);
    say(hello, started('a'), started('b'), notice('a', null, 'loading'));
    expect(log.at(-1)).toBe('a says null loading');
    expect(say(notice('a', 'ready', null)).slice(-2)).toEqual(['a says ready null', 'ready']);
    expect(say(notice('a', 'ready', null)).filter((line) => line === 'ready')).toHaveLength(1);
  });

  it.each([
    ['of one that has no word', [started('b'), notice('b', 'ready', null)], /"b" out of turn/],
    ['before its start', [notice('a', 'ready', null)], /"a" out of turn/],
    ['of nobody', [notice('zz', 'ready', null)], /"zz" out of turn/],
    [
      'of an unknown kind',
      [started('a'), notice('a', 'exec', null)],
      /state: expected one of ready, stopping/,
    ],
    ['that is too long', [started('a'), notice('a', null, 'x'.repeat(513))], /status: expected a string/],
  ])('is not believed %s', (_, messages, problem) => {
    const { say } = scripted(telling);
    say(hello);
    expect(say(...messages).at(-1)).toMatch(problem);
  });
});

describe('a guest that is broken or hostile loses its pod', () => {
  const cases: readonly [name: string, messages: unknown[], problem: RegExp][] = [
    ['another protocol', [{ ...hello, version: 99 }], /^guest-failed: .*protocol 99/],
    ['hello twice', [hello, hello], /hello out of turn/],
    ['an app before the plan', [started('a')], /"a" out of turn/],
    ['an app that is none', [hello, started('zz')], /"zz" out of turn/],
    ['an app started twice', [hello, started('a'), started('a')], /"a" out of turn/],
    ['an end before the start', [hello, exited('a', 0)], /"a" out of turn/],
    ['a restart without a policy', [hello, started('a'), restarting('a', 1)], /restart of "a" out of turn/],
    ['a restart of what never ran', [hello, restarting('a', 1)], /"a" out of turn/],
    ['a restart of nobody', [hello, restarting('zz', 1)], /"zz" out of turn/],
    [
      'an account of its use that nobody has asked for',
      [hello, { type: 'app-stats', request: 1, apps: [] }],
      /app-stats out of turn/,
    ],
    ['ended before the plan', [{ type: 'ended' }], /ended out of turn/],
    ['rubbish', [7], /^guest-broken: .*rubbish/],
    ['an unknown message', [{ type: 'root-please' }], /unknown type/],
    ['its own despair', [hello, { type: 'fatal', message: 'no root' }], /^guest-failed: .*gave up: no root/],
    [
      'a flood of warnings',
      [hello, ...Array.from({ length: 200 }, () => ({ type: 'warning', message: 'x' }))],
      /floods/,
    ],
  ];
  it.each(cases)('%s', (_, messages, problem) => {
    const { say } = scripted();
    expect(say(...messages).at(-1)).toMatch(problem);
  });

  const patient = podOf(app('a', { policy: 'always', most: null }), app('b', { policy: 'always', most: 1 }));
  const floods: readonly [name: string, messages: unknown[], problem: RegExp][] = [
    ['a restart that it has not counted', [restarting('a', 2)], /restart of "a" out of turn/],
    ['more restarts than allowed', [restarting('b', 1), restarting('b', 2)], /restart of "b" out of turn/],
    ['a wait without end', [{ ...restarting('a', 1), delayMs: 1e9 }], /delayMs/],
  ];
  it.each(floods)('%s', (_, messages, problem) => {
    const { say } = scripted(patient);
    say(hello, started('a'), started('b'));
    expect(say(...messages).at(-1)).toMatch(problem);
  });

  it('a word about an app that is not to be forgotten', () => {
    const { session, say, log } = scripted(podOf());
    say(hello);
    let times = 0;
    session.forgetApp('a', { kind: 'directory', path: '/a' }, () => {
      times++;
    });
    say({ type: 'forgotten', id: 'a' });
    expect(times).toBe(1);
    expect(log.at(-1)).toBe('ready');
    expect(say({ type: 'forgotten', id: 'a' }).at(-1)).toMatch(/message about "a" out of turn/);
  });

  it('a flood of restarts', () => {
    const { say, log } = scripted(patient);
    say(hello, started('a'), started('b'));
    for (let count = 1; count <= 1500; count += 100)
      if (!/floods/.test(log.at(-1) ?? ''))
        say(...Array.from({ length: 100 }, (_, n) => ({ ...restarting('a', count + n), delayMs: 0 })));
    expect(log.at(-1)).toMatch(/floods/);
  });

  it('a hang-up', () => {
    const { hangUp, turn, log } = scripted();
    hangUp();
    turn();
    expect(log).toEqual(['channel-lost: control channel: the channel was closed']);
  });
});
