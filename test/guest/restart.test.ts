import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { AppPlan } from '../../src/abi/boot-plan.ts';
import { eventually } from '../support/polling.ts';
import { guestSuite } from './guest-suite.ts';
import { appPlan, bootPlan, pipes, shell } from './pod-fixture.ts';
import type { ScriptedHost } from './scripted-host.ts';

const suite = guestSuite();
const app = (name: string, number: number, script: string, restart?: AppPlan['restart']) =>
  appPlan(name, suite.root(name), shell(script), {
    streams: pipes(number),
    ...(restart === undefined ? {} : { restart }),
  });

const always = { policy: 'always', most: null } as const;
const onFailure = (most: number | null) => ({ policy: 'on-failure', most }) as const;
/** Says how often it has been started: its root outlives its processes. */
const count = (file: string) => `echo x >> /${file}; n=$(wc -l < /${file}); echo "start $n"`;

/** Before its restart of this number, which is some time away. */
const resting = (host: ScriptedHost, number: number) =>
  eventually(`restart ${number} is announced`, () =>
    host.messages.some((message) => message.type === 'restarting' && message.count === number),
  );

const typesOf = (host: ScriptedHost, id: string) =>
  host.messages.filter((message) => 'id' in message && message.id === id).map(({ type }) => type);

describe('an app with a policy', () => {
  test('is started again until it has done its work; its streams go on', async () => {
    await using host = suite.start();
    const script = `${count('good')}; [ $n -lt 3 ] && exit 4; exit 0`;
    await host.boot(bootPlan([app('app', 1, script, onFailure(null))]));
    expect(await host.finish()).toBe(0);
    expect((await host.streams.whole(11)).toString()).toBe('start 1\nstart 2\nstart 3\n');
    expect(typesOf(host, 'app')).toEqual([
      'started',
      'restarting',
      'started',
      'restarting',
      'started',
      'exited',
    ]);
    const restarts = host.messages.filter(({ type }) => type === 'restarting');
    expect(restarts).toEqual([
      {
        type: 'restarting',
        id: 'app',
        status: { kind: 'exited', code: 4 },
        outOfMemory: false,
        delayMs: 100,
        count: 1,
      },
      {
        type: 'restarting',
        id: 'app',
        status: { kind: 'exited', code: 4 },
        outOfMemory: false,
        delayMs: 200,
        count: 2,
      },
    ]);
  });

  test('has failed after so many restarts, and the pod ends', async () => {
    await using host = suite.start();
    await host.boot(
      bootPlan([app('app', 1, `${count('bad')}; exit 9`, onFailure(2)), app('other', 2, 'sleep 1000')]),
    );
    await host.finish();
    expect((await host.streams.whole(11)).toString()).toBe('start 1\nstart 2\nstart 3\n');
    expect(await host.exitOf('app')).toBe(9);
    expect(await host.exitOf('other')).toBe(143);
  });

  test('finds none of its processes of before', async () => {
    await using host = suite.start();
    const script = `${count('left')}; [ $n -gt 1 ] && { pgrep -f 'sleep 97[5]'; echo none; sleep 1000; }; sleep 975 & exit 1`;
    await host.boot(bootPlan([app('app', 1, script, onFailure(null))]));
    await host.streams.text(11, 'none');
    expect(host.streams.received(11).toString()).toBe('start 1\nstart 2\nnone\n');
    host.send({ type: 'stop' });
    await host.finish();
  });

  test('goes on reading its input where the one before stopped', async () => {
    await using host = suite.start();
    const script = 'read line || exit 0; echo "got $line"; exit 1';
    const talker = { ...app('app', 1, script, onFailure(null)), streams: pipes(1, true) };
    await host.boot(bootPlan([talker]));
    host.streams.write(10, 'one\n');
    await host.streams.text(11, 'got one');
    host.streams.write(10, 'two\n');
    await host.streams.text(11, 'got two');
    host.streams.end(10);
    await host.finish();
    expect(await host.exitOf('app')).toBe(0);
  });

  test('that fails to start again has failed once more', async () => {
    await using host = suite.start();
    const process = { ...shell(''), argv: ['/app'] };
    const root = suite.root('vanishing');
    const vanishing = appPlan('app', root, process, {
      streams: pipes(1),
      files: [{ path: '/app', mode: 0o755, content: '#!/bin/sh\nmv /app /gone; mkdir /app; exit 3\n' }],
      restart: onFailure(2),
    });
    await host.boot(bootPlan([vanishing]));
    await host.finish();
    expect(typesOf(host, 'app')).toEqual(['started', 'restarting', 'restarting', 'failed']);
    const [, again] = host.messages.filter((message) => message.type === 'restarting');
    expect(again).toMatchObject({ status: { kind: 'exited', code: 203 }, count: 2 });
    expect(host.messages.find(({ type }) => type === 'warning')).toMatchObject({
      message: expect.stringMatching(/^app app: .*\/app/),
    });
  });

  test('that cannot be started at all is not tried again', async () => {
    await using host = suite.start();
    const process = { ...shell(''), argv: ['absent'] };
    await host.boot(bootPlan([appPlan('app', suite.root('app'), process, { restart: always })]));
    await host.finish();
    expect(typesOf(host, 'app')).toEqual(['failed']);
  });

  test('is over when the pod stops, also while it rests', async () => {
    await using host = suite.start();
    await host.boot(
      bootPlan([
        app('runs', 1, 'echo up; sleep 1000', always),
        app('rests', 2, `${count('rest')}; exit 6`, always),
      ]),
    );
    await resting(host, 6);
    host.send({ type: 'stop' });
    await host.finish();
    expect(await host.exitOf('runs')).toBe(143);
    expect(await host.exitOf('rests')).toBe(6);
    expect((await host.streams.whole(21)).toString()).toMatch(/start 6\n$/);
  });
});

describe('a mutable pod', () => {
  const mutable = { staysWhenEmpty: true };

  test('without apps goes on until it is stopped', async () => {
    await using host = suite.start();
    await host.boot(bootPlan([], mutable));
    host.send({ type: 'start', volumes: [], app: app('app', 1, 'echo one; exit 0') });
    expect(await host.exitOf('app')).toBe(0);
    expect((await host.streams.whole(11)).toString()).toBe('one\n');
    host.send({ type: 'start', volumes: [], app: app('app', 2, 'echo two; exit 5') });
    expect((await host.streams.whole(21)).toString()).toBe('two\n');
    host.send({ type: 'stop' });
    expect(await host.finish()).toBe(0);
    expect(typesOf(host, 'app')).toEqual(['started', 'exited', 'started', 'exited']);
  });

  test('lets go of an app that is over, and of the empty directory that its root was in', async () => {
    await using host = suite.start();
    const place = join(suite.root('place'), 'web');
    mkdirSync(place);
    const root = { kind: 'directory', path: join(place, 'rootfs') } as const;
    await host.boot(bootPlan([app('web', 1, 'exit 0')], mutable));
    expect(await host.exitOf('web')).toBe(0);
    host.send({ type: 'forget', app: 'web', root });
    await host.next('forgotten', 'web');
    expect(existsSync(place)).toBe(false);
    // What there is no more is as good as forgotten; so is one that was never started.
    for (const name of ['never', 'web']) host.send({ type: 'forget', app: name, root });
    await host.next('forgotten', 'never');
    host.send({ type: 'start', volumes: [], app: app('web', 2, 'echo again') });
    expect((await host.streams.whole(21)).toString()).toBe('again\n');
    host.send({ type: 'stop' });
    expect(await host.finish()).toBe(0);
  });

  test('takes it ill to be told to forget one that runs', async () => {
    await using host = suite.start();
    await host.boot(bootPlan([app('web', 1, 'echo up; sleep 1000')], mutable));
    await host.streams.text(11, 'up');
    host.send({ type: 'forget', app: 'web', root: { kind: 'directory', path: '/nowhere/at/all' } });
    expect(await host.next('fatal')).toMatchObject({
      message: expect.stringContaining('app web is not over'),
    });
  });

  test('is not ended by an app that fails, or cannot start', async () => {
    await using host = suite.start();
    const broken = appPlan('broken', '/nowhere/at/all', shell('echo no'), { streams: pipes(3) });
    const apps = [app('one', 1, 'exit 3'), broken, app('two', 2, 'echo up; sleep 1000')];
    await host.boot(bootPlan(apps, mutable));
    expect(await host.exitOf('one')).toBe(3);
    expect(await host.next('failed', 'broken')).toMatchObject({ step: 'root' });
    await host.streams.text(21, 'up');
    host.send({ type: 'stop' });
    expect(await host.exitOf('two')).toBe(143);
    await host.finish();
  });

  test('stops an app alone, with all its processes, and for good', async () => {
    await using host = suite.start();
    const script = 'sleep 976 & trap "exit 0" TERM; echo up; while :; do sleep 0.1; done';
    await host.boot(bootPlan([app('one', 1, script, always), app('two', 2, 'echo up; sleep 1000')], mutable));
    await host.streams.text(11, 'up');
    await host.streams.text(21, 'up');
    host.send({ type: 'stop-app', app: 'one', graceSeconds: 10 });
    expect(await host.exitOf('one')).toBe(0);
    // Its pipes are at their end: the one in the background, which had them too, is gone.
    expect((await host.streams.whole(11)).toString()).toBe('up\n');
    expect(typesOf(host, 'one')).toEqual(['started', 'exited']);
    expect(typesOf(host, 'two')).toEqual(['started']);
    host.send({ type: 'stop' });
    await host.finish();
  });

  test('kills an app that does not end in time', async () => {
    await using host = suite.start();
    await host.boot(bootPlan([app('app', 1, 'trap "" TERM; echo up; while :; do sleep 0.1; done')], mutable));
    await host.streams.text(11, 'up');
    host.send({ type: 'stop-app', app: 'app', graceSeconds: 1 });
    expect(await host.exitOf('app')).toBe(137);
    host.send({ type: 'stop' });
    await host.finish();
  });

  test('stops an app that rests', async () => {
    await using host = suite.start();
    await host.boot(bootPlan([app('app', 1, `${count('again')}; exit 6`, always)], mutable));
    await resting(host, 6);
    host.send({ type: 'stop-app', app: 'app', graceSeconds: 10 });
    expect(await host.exitOf('app')).toBe(6);
    host.send({ type: 'stop' });
    await host.finish();
  });

  test('starts no app any more when it stops', async () => {
    await using host = suite.start();
    const stubborn = app('old', 1, 'trap "" TERM; echo up; while :; do sleep 0.1; done');
    await host.boot(bootPlan([stubborn], { ...mutable, stopGraceSeconds: 1 }));
    await host.streams.text(11, 'up');
    host.send({ type: 'stop' });
    host.send({ type: 'start', volumes: [], app: app('new', 2, 'echo never') });
    expect(await host.next('failed', 'new')).toMatchObject({ message: 'the pod ends' });
    expect((await host.streams.whole(21)).length).toBe(0);
    await host.finish();
  });
});
