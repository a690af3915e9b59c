import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bootLabHost, LAB_STARTERS, type LabHost } from '../support/lab-host.ts';

const STAGE1 = '--stage1-path=/project/build/stage1-images/stage1-fly.aci';

describe('apps on the host under systemd and cgroup v2', () => {
  let host: LabHost;
  beforeAll(async () => {
    host = await bootLabHost();
  });
  afterAll(() => host?.[Symbol.dispose]());

  test.each(LAB_STARTERS)(
    'run in a group in %s, which ends with them and all that they have started',
    async (_, starter, place) => {
      const script = 'cat /proc/self/cgroup; setsid sleep 12345 > /dev/null 2>&1 & sleep 0.2; exit 7';
      const app = [host.image, '--exec=/bin/sh', '--', '-c', script];
      const { code, stdout, stderr } = await host.rkt(starter, 'run', '--net=host', '--rm', STAGE1, ...app);
      expect(stderr).toBe('');
      expect(stdout).toMatch(place);
      expect(stdout).toMatch(/\/rkt-[0-9a-f-]{36}\n$/);
      if (!starter.includes('sh')) expect(code).toBe(7);
      expect(await host.groups()).toBe('');
      expect(await host.vm.sh('cat /proc/*/cmdline 2>/dev/null | tr "\\\\0" " "')).not.toContain(
        'sleep 12345 ',
      );
      expect(await host.vm.sh('ls /tmp/host/tmp/data/pods/*')).not.toMatch(/[0-9a-f]{8}-/);
    },
  );

  test('what is entered is in the pod’s group, and ends with the pod', async () => {
    const [[, scope]] = LAB_STARTERS;
    const app = [host.image, '--exec=/bin/sh', '--', '-c', 'while :; do sleep 0.1; done'];
    const started = await host.rkt(
      scope,
      'run',
      '--net=host',
      '--detach',
      '--pod-name=flying',
      STAGE1,
      ...app,
    );
    expect(started.code, started.stderr).toBe(0);
    const run = (...args: readonly string[]) => host.rkt([], ...args);
    const entered = await run('enter', 'flying', 'cat', '/proc/self/cgroup');
    expect(entered.stdout).toMatch(/\/rkt-[0-9a-f-]{36}\n$/);
    const stays = run('enter', 'flying', 'sh', '-c', 'touch /dev/entered; exec sleep 1000');
    await host.vm.sh('until test -e /dev/entered; do sleep 0.2; done');
    expect((await run('stop', 'flying')).code).toBe(0);
    expect((await stays).code).toBe(137);
    expect((await run('gc', '--grace-period=0s')).code).toBe(0);
    expect(await host.groups()).toBe('');
  });
});
