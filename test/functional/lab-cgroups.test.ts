import { randomUUID } from 'node:crypto';
import { basename, join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileProgram } from '../../tools/compile.ts';
import { buildDir, rootDir } from '../../tools/paths.ts';
import { bootLabVm, type LabVm } from '../support/lab-vm.ts';

/** What the test program tells: paths as /proc/PID/cgroup has them. */
interface Report {
  readonly before: string;
  readonly kind: 'group' | 'none';
  readonly reason?: string;
  readonly supervisor: string;
  readonly child: string;
  readonly after: string;
  readonly pidsMax: readonly string[];
  readonly recorded: readonly string[];
  /** Of the group that the supervisor's and the pod's are in. */
  readonly scopeLimits: Readonly<Record<string, string>>;
}

describe("a pod's cgroup under systemd and cgroup v2", () => {
  let vm: LabVm;
  let program: string;

  beforeAll(async () => {
    const entry = join(rootDir, 'test/support/lab-vm/pod-group.ts');
    const outDir = join(buildDir, 'test-programs');
    const built = await compileProgram({ entry, name: 'lab-pod-group', outDir });
    program = join('/build', relative(buildDir, built));
    vm = await bootLabVm();
  });

  afterAll(() => {
    vm?.[Symbol.dispose]();
  });

  /** Runs the program, by a prefix such as systemd-run's, and tells what is left of the pod's directories after. */
  async function pod(
    mode: 'run' | 'crash',
    ...prefix: string[]
  ): Promise<Report & { left: string; uuid: string }> {
    const uuid = randomUUID();
    await vm.sh(`mkdir /tmp/${uuid}`);
    const argv = ['env', '-C', `/tmp/${uuid}`, ...prefix, program, mode, uuid];
    const { code, stdout, stderr } = await vm.run(argv);
    expect(code, stderr).toBe(0);
    const remains = mode === 'crash' ? await vm.sh(remaining(uuid)) : await left(uuid);
    return { ...(JSON.parse(stdout) as Report), left: remains, uuid };
  }

  /** A group may be removed a moment after its last process has ended. */
  async function left(uuid: string): Promise<string> {
    const find = remaining(uuid);
    return vm.sh(`for n in $(seq 300); do test -n "$(${find})" || break; sleep 0.2; done; ${find}`);
  }

  it('finds what this test is about', async () => {
    expect(await vm.sh('cat /proc/1/comm')).toBe('systemd\n');
    expect((await vm.sh('cat /sys/fs/cgroup/cgroup.controllers')).split(/\s/)).toEqual(
      expect.arrayContaining(['cpu', 'memory', 'pids']),
    );
  });

  it('is beside the supervisor in a unit that may divide its group', async () => {
    const unit = `lab-${randomUUID()}.service`;
    const inUnit = ['systemd-run', '--quiet', '--wait', '--pipe', '--same-dir', `--unit=${unit}`];
    const { uuid, ...found } = await pod('run', ...inUnit, '-p', 'Delegate=yes');
    expect(found).toMatchObject({
      before: `/system.slice/${unit}`,
      supervisor: `/system.slice/${unit}/rkt-supervisor-${uuid}`,
      child: `/system.slice/${unit}/rkt-${uuid}`,
      after: `/system.slice/${unit}`,
      pidsMax: ['512'],
      left: '',
    });
  });

  it('is below a unit that may divide its group, whose limits so hold for it', async () => {
    const unit = ['systemd-run', '--quiet', '--wait', '--pipe', '--same-dir', '--unit=lab-limited.service'];
    const limits = ['Delegate=yes', 'MemoryMax=64M', 'CPUQuota=50%', 'TasksMax=100'];
    const { uuid, ...found } = await pod('run', ...unit, ...limits.flatMap((limit) => ['-p', limit]));
    expect(found).toMatchObject({
      child: `/system.slice/lab-limited.service/rkt-${uuid}`,
      scopeLimits: { 'memory.max': `${64 * 1024 * 1024}`, 'cpu.max': '50000 100000' },
      left: '',
    });
  });

  it("is in a scope of its own, in the caller's slice, where others are in the caller's group", async () => {
    const { uuid, ...found } = await pod(
      'run',
      'systemd-run',
      '--quiet',
      '--scope',
      '--slice=user-0.slice',
      'sh',
      '-c',
      '"$@"; true',
      'sh',
    );
    const scope = `/user.slice/user-0.slice/rkt-${uuid}.scope`;
    expect(basename(found.before)).toMatch(/^run-.*\.scope$/);
    expect(found).toMatchObject({
      supervisor: `${scope}/rkt-supervisor-${uuid}`,
      child: `${scope}/rkt-${uuid}`,
      after: scope,
      pidsMax: ['512'],
      left: '',
    });
  });

  it('is in a scope of its own in a unit that systemd has not promised to leave alone, as limited as that', async () => {
    const unit = ['systemd-run', '--quiet', '--wait', '--pipe', '--same-dir'];
    const { uuid, ...found } = await pod('run', ...unit, '-p', 'MemoryMax=64M', '-p', 'CPUQuota=50%');
    expect(found).toMatchObject({
      supervisor: `/system.slice/rkt-${uuid}.scope/rkt-supervisor-${uuid}`,
      scopeLimits: { 'memory.max': `${64 * 1024 * 1024}`, 'cpu.max': '50000 100000' },
      left: '',
    });
  });

  it('is below the root of all, where the caller is in that', async () => {
    const fromRoot = ['sh', '-c', 'echo 0 > /sys/fs/cgroup/cgroup.procs; exec "$@"', 'sh'];
    const { uuid, ...found } = await pod('run', ...fromRoot);
    expect(found).toMatchObject({ supervisor: '/', child: `/rkt-${uuid}`, pidsMax: ['512'], left: '' });
  });

  it('is beside a supervisor that is alone in a group that is no unit', async () => {
    const group = '/sys/fs/cgroup/lab-task';
    const alone = ['sh', '-c', `echo 0 > ${group}/cgroup.procs; exec "$@"`, 'sh'];
    await vm.sh(`mkdir ${group}`);
    const { uuid, ...found } = await pod('run', ...alone);
    expect(found).toMatchObject({
      supervisor: `/lab-task/rkt-supervisor-${uuid}`,
      child: `/lab-task/rkt-${uuid}`,
      after: '/lab-task',
      left: '',
    });
    await vm.sh(`rmdir ${group}`);
  });

  describe.each([
    ['no busctl', 'rm', 'busctl, of systemd, is not installed'],
    ['a systemd that refuses', 'echo Access denied >&2; exit 1', 'systemd refuses a scope: Access denied'],
    ['a tool that never ends', 'exec sleep 600', 'systemd did not answer in time'],
    ['a tool that never stops talking', 'exec cat /dev/zero', 'systemd refuses a scope'],
    ['a tool that lies', 'exit 0', 'systemd did not move rkt to a scope in time'],
  ])('with %s', (_, script, reason) => {
    it('is not, and the reason is told', async () => {
      const found = await pod('run', 'systemd-run', '--quiet', '--scope', ...withBusctl(script));
      expect(found).toMatchObject({ kind: 'none', left: '', recorded: [], pidsMax: [] });
      expect(found.supervisor).toBe(found.before);
      expect(found.reason).toContain('rkt is not alone in its cgroup');
      expect(found.reason).toContain(reason);
    });
  });

  it('keeps its limits when systemd reloads; after a crash gc removes what is left', async () => {
    const { uuid, left: before } = await pod('crash', 'systemd-run', '--quiet', '--scope');
    const group = before.split('\n').find((path) => path.endsWith(`/rkt-${uuid}`));
    expect(group).toContain(`/rkt-${uuid}.scope/`);
    expect(await vm.sh(`systemctl daemon-reload; cat ${group}/pids.max`)).toBe('512\n');
    await vm.sh(`cd /tmp/${uuid} && ${program} gc`);
    expect(await left(uuid)).toBe('');
  });
});

function remaining(uuid: string): string {
  return `find /sys/fs/cgroup -name '*${uuid}*'`;
}

/** Runs what follows, not alone in its group, where `busctl` is another: in a mount namespace of its own. */
function withBusctl(script: string): string[] {
  const replace = `printf '#!/bin/sh\n%s\n' '${script}' > busctl; test '${script}' = rm || chmod 755 busctl`;
  return ['unshare', '-m', 'sh', '-c', `${replace}; mount --bind busctl /usr/bin/busctl; "$@"; true`, 'sh'];
}
