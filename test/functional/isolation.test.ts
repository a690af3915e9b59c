import { existsSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { tinyImages } from '../support/images.ts';
import { cgroupsOf } from '../support/leaks.ts';
import { eventually } from '../support/polling.ts';
import type { ScopeProcess } from '../support/process-scope.ts';
import { savedUuid, useRkt } from '../support/rkt.ts';
import { tool } from '../support/tool.ts';

const rkt = useRkt();
let image = '';
beforeAll(async () => {
  await tool('strace', ['--version']);
  image = (await tinyImages()).aci.plain;
});

interface Pod {
  readonly uuid: string;
  readonly supervisor: ScopeProcess;
  readonly qemu: ScopeProcess;
  readonly virtiofsd: readonly ScopeProcess[];
  readonly vmId: string;
  stop(): Promise<unknown>;
}

/** Those of people, perhaps. */
const INHERITED_IDS = ['1000', '1001'];

async function startPod(name: string): Promise<Pod> {
  const file = rkt.path(name);
  const app = [image, `--name=${name}`, '--exec=/bin/sh', '--', '-c', 'echo ready; sleep 100000'];
  const command = rkt.start(['run', '--net=none', '--rootfs=virtiofs', `--uuid-file-save=${file}`, ...app], {
    timeoutSeconds: 240,
    // Ids are for the configuration to say.
    env: { RKT_HYPERVISOR_IDS: `${INHERITED_IDS[0]}:${INHERITED_IDS.length}` },
  });
  await eventually('the app is up', () => command.stdout.includes('ready'));
  const family = descendants(command.pid, rkt.scope.processes());
  const [supervisor] = family.filter((process) => process.pid === command.pid);
  const [qemu] = family.filter((process) => process.name.startsWith('qemu'));
  if (supervisor === undefined || qemu === undefined) throw new Error('the pod has no supervisor or no qemu');
  const uuid = savedUuid(file) ?? '';
  const directory = join(rkt.dir, 'pods/run', uuid);
  return {
    uuid,
    supervisor,
    qemu,
    virtiofsd: family.filter((process) => process.name.startsWith('virtiofsd')),
    vmId: readFileSync(join(directory, 'vm-id'), 'utf8').trim(),
    stop: () => {
      command.signal('SIGTERM');
      return command.finished;
    },
  };
}

function descendants(pid: number, all: readonly ScopeProcess[]): ScopeProcess[] {
  const own = all.filter((process) => process.pid === pid);
  const children = all.filter((process) => process.parent === pid);
  return [...own, ...children.flatMap((child) => descendants(child.pid, all))];
}

function status(pid: number, field: string): string {
  const text = readFileSync(`/proc/${pid}/status`, 'utf8');
  return new RegExp(`^${field}:[ \\t]*(.*)$`, 'm').exec(text)?.[1]?.trim() ?? '';
}

function mountsOf(pid: number): { target: string; options: string[] }[] {
  const lines = readFileSync(`/proc/${pid}/mountinfo`, 'utf8').trim().split('\n');
  return lines.map((line) => {
    const [, , , , target = '', options = ''] = line.split(' ');
    return { target, options: options.split(',') };
  });
}

/** virtiofsd is uid 0: what asks for no more than that must be out of its reach. */
function expectConfined({ pid }: ScopeProcess, { qemu }: Pod): void {
  for (const kind of ['mnt', 'net', 'pid', 'ipc'])
    for (const other of ['self', qemu.pid])
      expect(readlinkSync(`/proc/${pid}/ns/${kind}`)).not.toBe(readlinkSync(`/proc/${other}/ns/${kind}`));
  expect(status(pid, 'NSpid')).toMatch(/\t1$/);
  // It keeps fds of procfs, and from each the way up is open.
  const directories = readdirSync(`/proc/${pid}/fd`).map((fd) => `/proc/${pid}/fd/${fd}`);
  expect(directories.filter((path) => existsSync(`${path}/../../1/fd`)).length).toBeGreaterThan(0);
  for (const path of [...directories, `/proc/${pid}/root`])
    for (const up of ['sys', '../sys', '../../sys', '../../../sys', '../../../../sys'])
      expect(existsSync(`${path}/${up}/kernel`)).toBe(false);
}

function expectMemoryLimit({ uuid }: Pod): void {
  const files = cgroupsOf(new Set([uuid])).flatMap((path) =>
    ['memory.max', 'memory.limit_in_bytes'].map((name) => join(path, name)),
  );
  const limits = files.filter((file) => existsSync(file)).map((file) => readFileSync(file, 'utf8').trim());
  expect(limits.map(Number).filter((bytes) => bytes >= 768 * 2 ** 20 && bytes <= 1024 * 2 ** 20)).not.toEqual(
    [],
  );
}

/** Runs a command with the ids of a pod's QEMU and nothing else: what a guest that escaped into it could do. */
async function asEscaped(pod: Pod, argv: readonly string[]): Promise<number> {
  const ids = [
    `--reuid=${pod.vmId}`,
    `--regid=${pod.vmId}`,
    '--clear-groups',
    '--inh-caps=-all',
    '--bounding-set=-all',
  ];
  return (await rkt.startArgv(['setpriv', ...ids, ...argv]).finished).code;
}

test('a pod is a supervisor, QEMU and virtiofsd, each with no more than it needs; pods cannot reach each other', async () => {
  const [one, two] = [await startPod('one'), await startPod('two')];

  const processes = rkt.scope.processes();
  expect(
    processes.filter(({ name, argv }) => /^node/.test(name) || /(^|\/)node$/.test(argv[0] ?? '')),
  ).toEqual([]);
  const executables = processes.map(({ pid }) => basename(readlinkSync(`/proc/${pid}/exe`)));
  expect(
    new Set(executables.map((name) => /^(qemu-system-x86_64|virtiofsd)$/.exec(name)?.[1] ?? 'supervisor'))
      .size,
  ).toBe(3);

  for (const pod of [one, two]) {
    expect(pod.virtiofsd.length).toBeGreaterThan(0);
    const ids = [pod.vmId, pod.vmId, pod.vmId, pod.vmId].join('\t');
    expect(INHERITED_IDS).not.toContain(pod.vmId);
    expect({
      uid: status(pod.qemu.pid, 'Uid'),
      gid: status(pod.qemu.pid, 'Gid'),
      groups: status(pod.qemu.pid, 'Groups'),
    }).toEqual({ uid: ids, gid: ids, groups: '' });
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb'])
      expect(status(pod.qemu.pid, set)).toBe('0'.repeat(16));
    expect(status(pod.qemu.pid, 'Seccomp')).toBe('2');
    expect(status(pod.qemu.pid, 'NoNewPrivs')).toBe('1');
    expect(status(pod.supervisor.pid, 'Threads')).toBe('1');
    for (const kind of ['mnt', 'net', 'pid', 'ipc'])
      expect(readlinkSync(`/proc/${pod.qemu.pid}/ns/${kind}`)).not.toBe(
        readlinkSync(`/proc/self/ns/${kind}`),
      );
    expect(status(pod.qemu.pid, 'NSpid')).toMatch(/\t1$/);
    expect(
      existsSync(`/proc/${pod.qemu.pid}/root/root`) || existsSync(`/proc/${pod.qemu.pid}/root/home`),
    ).toBe(false);
    for (const process of pod.virtiofsd) expectConfined(process, pod);
    expectMemoryLimit(pod);
    for (const { pid } of [pod.supervisor, ...pod.virtiofsd]) {
      const roots = mountsOf(pid).filter(({ target }) => /\/(one|two)\/rootfs$/.test(target));
      expect(roots.length).toBeGreaterThan(0);
      for (const { options } of roots) expect(options).toEqual(expect.arrayContaining(['nosuid', 'nodev']));
    }
  }
  expect(one.vmId).not.toBe(two.vmId);

  // The probe works: within a pod the ids do allow it.
  expect(await asEscaped(one, ['kill', '-0', `${one.qemu.pid}`])).toBe(0);
  for (const victim of [two.qemu, two.supervisor, one.supervisor, ...two.virtiofsd]) {
    expect(await asEscaped(one, ['kill', '-0', `${victim.pid}`])).not.toBe(0);
    expect(await asEscaped(one, ['strace', '-p', `${victim.pid}`])).not.toBe(0);
    expect(await asEscaped(one, ['cat', `/proc/${victim.pid}/environ`])).not.toBe(0);
    expect(await asEscaped(one, ['ls', `/proc/${victim.pid}/fd/`])).not.toBe(0);
  }
  expect(await asEscaped(one, ['ls', rkt.dir])).not.toBe(0);

  await Promise.all([one.stop(), two.stop()]);
});
