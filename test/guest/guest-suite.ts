import { afterAll, afterEach, beforeAll } from 'vitest';
import { compiledInit, RootFolder } from './pod-fixture.ts';
import { ScriptedHost } from './scripted-host.ts';

export interface GuestSuite {
  /** A busybox root for each app name, made at the first call. */
  root(name?: string): string;
  /** A host with a fresh PID 1 at the other end, which may divide a control group in these directories: `CONTROLLER=PATH`. */
  start(...groups: readonly string[]): ScriptedHost;
}

/** What every test file here needs: the compiled PID 1, and roots that are removed at the end. */
export function guestSuite(): GuestSuite {
  const roots = new RootFolder();
  const made = new Map<string, string>();
  let hosts: ScriptedHost[] = [];
  let init = '';
  beforeAll(async () => {
    init = await compiledInit();
  });
  // A test that ran out of time has not come to its end.
  afterEach(async () => {
    const started = hosts;
    hosts = [];
    for (const host of started) await host[Symbol.asyncDispose]();
  });
  afterAll(() => roots[Symbol.dispose]());
  return {
    root(name = 'app') {
      const root = made.get(name) ?? roots.busybox(name);
      made.set(name, root);
      return root;
    },
    start(...groups) {
      const host = new ScriptedHost(init, groups);
      hosts.push(host);
      return host;
    },
  };
}
