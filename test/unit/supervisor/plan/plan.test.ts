import { describe, expect, it } from 'vitest';
import { NO_NETWORK } from '../../../../src/abi/network-plan.ts';
import { type App, blankApp, parseIsolator, type SeccompName } from '../../../../src/appc/index.ts';
import { encodeBase64 } from '../../../../src/supervisor/plan/base64.ts';
import { keptCapabilities } from '../../../../src/supervisor/plan/capabilities.ts';
import { type AppFacts, type Housing, type PodFacts, planPod } from '../../../../src/supervisor/plan/plan.ts';

const root = { uid: 0, gid: 0, account: undefined };
const housing: Housing = {
  ownKernel: true,
  root: (app) => ({ kind: 'directory', path: `/pod/${app}/rootfs` }),
  machine: () => null,
  shared: (path) => ({ kind: 'directory', path: `/pod/${path}` }),
};
const pipes = { kind: 'pipes', stdin: null, stdout: 1, stderr: 2 } as const;

function facts(app: Partial<App>, change: Partial<AppFacts> = {}): AppFacts {
  return {
    name: 'web',
    app: { ...blankApp, exec: ['/bin/web'], ...app },
    readOnlyRoot: false,
    identity: root,
    streams: pipes,
    restart: { policy: 'on-failure', most: 3 },
    notify: false,
    volumes: { mounts: [], devices: [] },
    umask: 0o022,
    ...change,
  };
}

function plan(app: AppFacts, change: Partial<PodFacts> = {}) {
  const pod = planPod({
    hostname: 'rkt-1',
    apps: [app],
    housing,
    term: 'vt220',
    restrictCapabilities: true,
    protectPaths: true,
    restrictDevices: true,
    makesDevices: true,
    filterCalls: false,
    kernel: '6.1.0',
    environment: [],
    staysWhenEmpty: false,
    covers: [],
    names: '',
    network: NO_NETWORK,
    madeVolumes: [],
    isolators: [],
    strictIsolators: false,
    kernelShare: { ownKernel: true, hostNetwork: false, hostIpc: false },
    ...change,
  });
  const [first] = pod.apps;
  if (first === undefined) throw new Error('no app in the plan');
  return { pod, app: first };
}

describe('planPod', () => {
  it('plans an app of root with nothing said', () => {
    const { pod, app } = plan(facts({}));
    expect(pod.machine).toBeNull();
    expect(app.restart).toEqual({ policy: 'on-failure', most: 3 });
    expect(app.root).toEqual({ kind: 'directory', path: '/pod/web/rootfs' });
    expect(app.process).toEqual({
      argv: ['/bin/web'],
      env: [
        'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        'SHELL=/bin/sh',
        'USER=root',
        'LOGNAME=root',
        'HOME=/root',
        'AC_APP_NAME=web',
        'container=rkt',
      ],
      workingDirectory: '/',
      uid: 0,
      gid: 0,
      groups: [],
      umask: 0o022,
      capabilities: [0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31],
      noNewPrivileges: false,
      seccomp: null,
      rlimits: [],
      oomScoreAdj: null,
    });
  });

  it('says what the pod is to have of its kernel, and how strict it is', () => {
    const isolators = [parseIsolator({ name: 'os/unix/sysctl', value: { 'net.ipv4.ip_forward': '1' } })];
    const { pod } = plan(facts({}), { isolators, strictIsolators: true });
    expect([pod.sysctls, pod.strict]).toEqual([[{ path: 'net/ipv4/ip_forward', value: '1' }], true]);
    expect(plan(facts({})).pod.strict).toBe(false);
  });

  it('lets an app use the devices that it is given, or all', () => {
    expect(plan(facts({})).app.limits.devices).not.toBeNull();
    expect(plan(facts({}), { protectPaths: false, restrictDevices: false }).app.limits.devices).toBeNull();
  });

  it("lets the app's environment win", () => {
    const environment = [
      { name: 'HOME', value: '/srv' },
      { name: 'A', value: 'b=c' },
    ];
    const { env } = plan(facts({ environment })).app.process;
    expect(env.filter((entry) => /^(HOME|A)=/.test(entry))).toEqual(['HOME=/srv', 'A=b=c']);
  });

  it('lets what the pod says win over that', () => {
    const environment = [{ name: 'AC_METADATA_URL', value: 'http://192.0.2.1:18112/t' }];
    const app = facts({ environment: [{ name: 'AC_METADATA_URL', value: 'http://192.0.2.9/' }] });
    const { env } = plan(app, { environment }).app.process;
    expect(env.filter((entry) => entry.startsWith('AC_M'))).toEqual([
      'AC_METADATA_URL=http://192.0.2.1:18112/t',
    ]);
  });

  it("takes the user's own home and shell", () => {
    const account = { name: 'web', uid: 33, gid: 33, home: '/srv', shell: '/bin/zsh' };
    const { process } = plan(facts({}, { identity: { uid: 33, gid: 34, account } })).app;
    expect(process.env).toEqual(
      expect.arrayContaining(['USER=web', 'LOGNAME=web', 'HOME=/srv', 'SHELL=/bin/zsh']),
    );
    expect([process.uid, process.gid]).toEqual([33, 34]);
  });

  it('says TERM to apps with a terminal only', () => {
    const terminal = { kind: 'terminal', stream: 1, rows: 2, columns: 3 } as const;
    expect(plan(facts({}, { streams: terminal })).app.process.env).toContain('TERM=vt220');
    expect(plan(facts({})).app.process.env.join()).not.toMatch(/TERM=/);
  });

  it('says where to speak to apps that tell of themselves, whatever the command line says', () => {
    const environment = [{ name: 'NOTIFY_SOCKET', value: '/run/systemd/notify' }];
    const told = plan(facts({ environment }, { notify: true })).app;
    expect(told.notify).toBe(true);
    expect(told.process.env.filter((entry) => entry.startsWith('NOTIFY'))).toEqual([
      'NOTIFY_SOCKET=/dev/rkt/notify',
    ]);
  });

  it('protects the kernel after mounting what it covers, unless told not to', () => {
    const kinds = plan(facts({})).app.mounts.map(({ kind }) => kind);
    expect(kinds.slice(0, 3)).toEqual(['dev', 'filesystem', 'filesystem']);
    expect(new Set(kinds.slice(3))).toEqual(new Set(['read-only', 'hidden']));
    expect(plan(facts({}), { protectPaths: false }).app.mounts).toHaveLength(3);
  });

  it('brings hosts and hostname for images without', () => {
    const files = new Map(plan(facts({})).app.files.map(({ path, content }) => [path, content]));
    expect(files.get('/etc/hostname')).toBe('rkt-1\n');
    expect(files.get('/etc/hosts')).toMatch(/^127\.0\.0\.1\tlocalhost .*\n127\.0\.0\.1\trkt-1$/ms);
  });
});

describe('the filter of system calls', () => {
  const set = (name: SeccompName, ...calls: string[]) =>
    ({ kind: 'seccomp', name, value: { set: calls } }) as const;
  const filtered = (app: AppFacts) => plan(app, { filterCalls: true }).app.process;
  const user = { uid: 33, gid: 33, account: undefined };

  it('is there for every app that does not say otherwise', () => {
    const { seccomp } = filtered(facts({}));
    expect(Buffer.from(seccomp ?? '', 'base64').length % 8).toBe(0);
    expect(filtered(facts({ isolators: [set('os/linux/seccomp-retain-set', 'read')] })).seccomp).not.toBe(
      seccomp,
    );
    const everything = set('os/linux/seccomp-retain-set', '@appc.io/all');
    expect(filtered(facts({ isolators: [everything] })).seccomp).toBeNull();
  });

  it('of a profile goes by the capabilities that the app keeps', () => {
    const rule = { names: ['mount'], action: 'SCMP_ACT_ALLOW', args: [] } as const;
    const syscalls = [{ ...rule, includes: { caps: ['CAP_SYS_ADMIN'], arches: [] } }];
    const profile = {
      kind: 'seccomp-profile',
      name: 'coreos.com/rkt/seccomp-profile',
      value: { defaultAction: 'SCMP_ACT_ERRNO', syscalls },
    } as const;
    const all = plan(facts({ isolators: [profile] }), { filterCalls: true, restrictCapabilities: false });
    expect(filtered(facts({ isolators: [profile] })).seccomp).not.toBe(all.app.process.seccomp);
  });

  it('keeps users other than root from new privileges', () => {
    expect(filtered(facts({}, { identity: user })).noNewPrivileges).toBe(true);
    expect(filtered(facts({})).noNewPrivileges).toBe(false);
    const everything = set('os/linux/seccomp-retain-set', '@appc.io/all');
    expect(filtered(facts({ isolators: [everything] }, { identity: user })).noNewPrivileges).toBe(false);
    expect(plan(facts({}, { identity: user })).app.process.noNewPrivileges).toBe(false);
  });
});

describe('keptCapabilities', () => {
  const retain = (...set: string[]) =>
    ({ kind: 'capabilities', name: 'os/linux/capabilities-retain-set', value: { set } }) as const;
  const remove = (...set: string[]) =>
    ({ kind: 'capabilities', name: 'os/linux/capabilities-remove-set', value: { set } }) as const;

  it.each([
    ['retained', [retain('CAP_NET_ADMIN', 'CAP_KILL')], [5, 12]],
    ['retained, none', [retain()], []],
    ['unknown ones are nothing', [retain('CAP_NEW')], []],
    ['removed', [remove('CAP_CHOWN', 'CAP_MKNOD')], [1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 29, 31]],
  ])('%s', (_, isolators, numbers) => {
    expect(keptCapabilities(isolators, true, true)).toEqual(numbers);
  });

  it('are all without the restriction', () => {
    expect(keptCapabilities([], false, false)).toHaveLength(41);
  });

  it('does without devices where those would be the host’s', () => {
    const mknod = 27;
    expect(keptCapabilities([], true, true)).toContain(mknod);
    expect(keptCapabilities([], true, false)).not.toContain(mknod);
  });
});

describe('encodeBase64', () => {
  it.each(['', 'f', 'fo', 'foo', 'foob', 'fooba', 'foobar'])('%j', (text) => {
    expect(encodeBase64(Buffer.from(text))).toBe(Buffer.from(text).toString('base64'));
  });
});
