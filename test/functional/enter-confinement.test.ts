import { readFileSync, writeFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { VARIANTS } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { eventually } from '../support/polling.ts';
import { useRkt } from '../support/rkt.ts';
import { startPod, useRunningPods } from '../support/running-pod.ts';

const rkt = useRkt();
const pods = useRunningPods();

/** Whatever a process has that its app's might not have. */
const STATE = [
  "grep -E '^(Uid|Gid|Groups|CapInh|CapPrm|CapEff|CapBnd|CapAmb|NoNewPrivs|Seccomp):' /proc/self/status",
  'cat /proc/self/cgroup /proc/self/oom_score_adj /proc/self/limits',
  'readlink /proc/self/ns/*',
  'umask; pwd; env | sort',
].join('; ');
const APP = `(${STATE}) > /tmp/state; : > /tmp/noted; while :; do sleep 0.1; done`;
const NOTED = 'until [ -e /tmp/noted ]; do sleep 0.1; done; cat /tmp/state';

const exec = ['/bin/sh', '-c', APP];
const isolator = (name: string, value: unknown) => ({ name: `os/linux/${name}`, value });
const APPS = {
  confined: {
    exec,
    user: '0',
    group: '0',
    isolators: [
      isolator('capabilities-retain-set', { set: ['CAP_KILL'] }),
      isolator('no-new-privileges', true),
      isolator('oom-score-adj', 300),
    ],
  },
  web: {
    exec,
    user: '1000',
    group: '2000',
    supplementaryGIDs: [3000],
    workingDirectory: '/etc',
    environment: [{ name: 'COLOR', value: 'dark red' }],
  },
  plain: { exec, user: '0', group: '0' },
};
type AppName = keyof typeof APPS;

describe.each(VARIANTS)('$name', ({ image: stage1, ownKernel, flags }) => {
  let uuid = '';
  beforeAll(async () => {
    const image = (await tinyImages()).aci.plain;
    const id = (await rkt.output(['fetch', '--full', image])).trim();
    const manifest = rkt.path('pod.json');
    const apps = Object.entries(APPS).map(([name, app]) => ({ name, image: { id }, app }));
    writeFileSync(manifest, JSON.stringify({ acKind: 'PodManifest', acVersion: '0.8.11', apps }));
    const pod = await startPod(rkt, [`--stage1-path=${stage1}`, ...flags, `--pod-manifest=${manifest}`]);
    pods.push(pod);
    uuid = pod.uuid;
  });

  const inside = (app: AppName, script: string) =>
    rkt.output(['enter', `--app=${app}`, uuid, '/bin/sh', '-c', script]);

  test('of several apps one has to be named', async () => {
    const { code, stdout, stderr } = await rkt.run(['enter', uuid, 'true']);
    expect({ code, stdout }).toEqual({ code: 254, stdout: '' });
    expect(stderr).toBe(
      'enter: pod contains multiple apps: confined, web, plain: specify app using "rkt enter --app= ..."\n',
    );
  });

  describe('a program in an app is confined as the app is', () => {
    test.each(['confined', 'web', 'plain'] as const)('%s: in everything that /proc tells', async (app) => {
      expect(await inside(app, STATE)).toBe(await inside(app, NOTED));
    });

    test('CVE-2019-10144: it has no capability that its app has not', async () => {
      const CAP_KILL = '0000000000000020';
      const state = await inside('confined', STATE);
      for (const set of ['CapPrm', 'CapEff', 'CapBnd']) expect(state).toContain(`${set}:\t${CAP_KILL}\n`);
      for (const set of ['CapInh', 'CapAmb']) expect(state).toContain(`${set}:\t${'0'.repeat(16)}\n`);
      const attempts = [
        'mknod /tmp/disk b 8 0',
        'chown 1 /tmp/state',
        'mount -t tmpfs none /tmp',
        'chroot / true',
      ];
      const script = attempts.map((attempt) => `${attempt} 2>/dev/null && echo did: ${attempt}`).join('; ');
      expect(await inside('confined', `${script}; :`)).toBe('');
      expect(await inside('plain', 'chown 1 /tmp/state && echo did')).toBe('did\n');
    });

    test('CVE-2019-10145: its system calls are restricted as its app’s', async () => {
      const restrictions = (text: string) => text.match(/^(NoNewPrivs|Seccomp):.*$/gm);
      const [app, own] = [await inside('confined', NOTED), await inside('confined', STATE)];
      expect(restrictions(own)).toEqual(restrictions(app));
      expect(restrictions(own)).toContain('NoNewPrivs:\t1');
    });

    test('CVE-2019-10147: it runs where its app runs, which the pod’s cgroup holds; nowhere beside it on the host', async () => {
      const running = rkt.start(['enter', '--app=plain', uuid, 'sleep', '4711']);
      const count = 'ps -o args | grep -c "^sleep 471[1]$"; true';
      await eventually('the program is up', async () => (await inside('plain', count)) !== '0\n');
      expect(await inside('plain', count)).toBe('1\n');
      const pids = rkt.scope
        .processes()
        .filter(({ argv }) => argv.join(' ') === 'sleep 4711')
        .map(({ pid }) => pid);
      // Where it is a process of the host, it is in all groups and namespaces that its app is in.
      expect(pids).toHaveLength(ownKernel ? 0 : 1);
      for (const pid of pids) expect(readFileSync(`/proc/${pid}/cgroup`, 'utf8')).toContain(uuid);
      running.signal('SIGTERM');
      expect((await running.finished).code).toBe(143);
    });

    test('it sees no other app’s files, nor those of the pod’s init', async () => {
      await inside('plain', 'echo secret > /of-plain');
      expect(
        await inside('web', 'ls / | grep of-; cat /proc/1/root/of-plain /proc/1/environ 2>/dev/null; :'),
      ).toBe('');
      const roots = 'for root in /proc/[0-9]*/root; do [ -e $root/of-plain ] && echo $root; done; :';
      expect(await inside('confined', roots)).toBe('');
    });
  });

  test('its user, working directory and environment are the app’s', async () => {
    const script = 'id -u; id -g; id -G; pwd; echo $COLOR; echo $AC_APP_NAME';
    expect(await inside('web', script)).toBe('1000\n2000\n2000 3000\n/etc\ndark red\nweb\n');
  });
});
