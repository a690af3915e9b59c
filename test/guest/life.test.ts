import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { appPlan, bootPlan, compiledInit, RootFolder, shell } from './pod-fixture.ts';
import { ScriptedHost } from './scripted-host.ts';

let init: string;
let root: string;
const roots = new RootFolder();

beforeAll(async () => {
  init = await compiledInit();
  root = roots.busybox('app');
});
afterAll(() => roots[Symbol.dispose]());

describe('a pod of one app', () => {
  test('says its output and its code, and ends', async () => {
    await using host = new ScriptedHost(init);
    await host.boot(bootPlan([appPlan('app', root, shell('echo hello; echo oops >&2; exit 7'))]));
    expect(await host.exitOf('app')).toBe(7);
    expect((await host.streams.whole(11)).toString()).toBe('hello\n');
    expect((await host.streams.whole(12)).toString()).toBe('oops\n');
    expect(await host.finish()).toBe(0);
    expect(host.messages.map(({ type }) => type)).toEqual(['hello', 'started', 'exited', 'ended']);
  });
});
