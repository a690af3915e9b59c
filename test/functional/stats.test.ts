import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { FLAVOURS } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { eventually } from '../support/polling.ts';
import { savedUuid, useRkt } from '../support/rkt.ts';
import { endPod, type RunningPod, startPod, useRunningPods } from '../support/running-pod.ts';
import { CTRL_C, TerminalCommand } from '../support/terminal.ts';

const rkt = useRkt();
const pods = useRunningPods();
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
});

interface Sample {
  readonly time: number;
  readonly pods: readonly PodSample[];
}

interface PodSample {
  readonly uuid: string;
  readonly answered: boolean;
  readonly apps: readonly {
    readonly name: string;
    readonly cpu_percent?: number;
    readonly cpu_usec: number;
    readonly memory_bytes: number;
    readonly pids: number;
    readonly written_bytes: number;
  }[];
  readonly interfaces: readonly { readonly name: string; readonly received_packets: number }[];
  readonly host: { readonly processes: readonly { readonly name: string; readonly pid: number }[] };
  readonly overhead: { readonly memory_bytes: number };
}

/** Of one pod: what `stats ARGS --format=json` tells. */
async function sampleOf(...args: readonly string[]): Promise<PodSample> {
  const { pods } = JSON.parse(await rkt.output(['stats', '--format=json', ...args])) as Sample;
  const [pod] = pods;
  if (pod === undefined) throw new Error('no pod in the sample');
  return pod;
}

const MIB = 1024 * 1024;
/** Holds 24 MiB, writes 8 of them to a file, moves packets, and then turns in a circle. */
const BUSY = [
  'dd if=/dev/zero of=/dev/shm/held bs=1M count=24 2>/dev/null',
  'dd if=/dev/shm/held of=/written bs=1M count=8 2>/dev/null',
  'ping -c 1 127.0.0.1 >/dev/null',
  'while :; do :; done',
].join(';');
/** Its second process is nobody's child that PID 1 knows. */
const IDLE = '(setsid sleep 100000 &); exec sleep 100000';

describe.each(FLAVOURS)('$name', ({ image: stage1, ownKernel }) => {
  const start = async (...apps: readonly string[][]): Promise<RunningPod> => {
    const words = apps.flatMap(([name = '', script = ''], index) => [
      ...(index === 0 ? [] : ['---']),
      ...[image, `--name=${name}`, '--exec=/bin/sh', '--', '-c', script],
    ]);
    const pod = await startPod(rkt, [`--stage1-path=${stage1}`, ...words]);
    pods.push(pod);
    return pod;
  };
  let pod: RunningPod;
  beforeAll(async () => {
    pod = await start(['busy', BUSY], ['idle', IDLE]);
    await eventually('both apps have come to what they go on with', async () => {
      const { apps, interfaces } = await sampleOf(pod.uuid, '--interval=100ms');
      const isThere = apps.map(({ pids }) => pids).join() === '1,2';
      return isThere && interfaces.some(({ received_packets }) => received_packets > 0);
    });
  });

  // Those of another flavour would be in its table.
  afterAll(async () => {
    for (const running of pods.splice(0)) await endPod(running);
  });

  test('without a UUID, a table of all running pods: apps, what is beside them, interfaces', async () => {
    const short = pod.uuid.slice(0, 8);
    const lines = (await rkt.output(['stats'])).split('\n').map((line) => line.split(/\t+/));
    expect(lines.map(([uuid, what]) => [uuid, what])).toEqual([
      ['UUID', 'APP'],
      [short, 'busy'],
      [short, 'idle'],
      [short, '(overhead)'],
      ['', undefined],
      ['UUID', 'INTERFACE'],
      [short, 'lo'],
      ['', undefined],
    ]);
    expect(lines[1]?.slice(2)).toEqual([
      expect.stringMatching(/^\d+\.\d$/),
      ...Array(2).fill(expect.stringMatching(/^\d+MiB$/)),
      '1',
      ...Array(2).fill(expect.stringMatching(/^[\d.]+MiB$/)),
    ]);
    expect(lines[3]?.slice(2)).toEqual([
      expect.stringMatching(/^\d+\.\d$/),
      expect.stringMatching(/^[\d.]+MiB$/),
      ...Array(4).fill('-'),
    ]);
    expect(lines[6]?.slice(2)).toEqual([expect.stringMatching(/^\d+B$/), '2', expect.any(String), '2']);
  });

  test('what an app uses is its own, in numbers', async () => {
    const { apps, interfaces, host, overhead } = await sampleOf(pod.uuid.slice(0, 8));
    const [busy, idle] = apps;
    expect(apps.map(({ name }) => name)).toEqual(['busy', 'idle']);
    expect(busy?.memory_bytes).toBeGreaterThan(24 * MIB);
    expect(idle?.memory_bytes).toBeLessThan(8 * MIB);
    expect(busy?.cpu_percent).toBeGreaterThan(idle?.cpu_percent ?? 100);
    expect(busy?.cpu_usec).toBeGreaterThan(idle?.cpu_usec ?? 0);
    expect(busy?.written_bytes).toBeGreaterThanOrEqual(32 * MIB);
    expect(idle?.written_bytes).toBeLessThan(MIB);
    // Whatever its parents have become, a process is its app's.
    expect([busy?.pids, idle?.pids]).toEqual([1, 2]);
    expect(interfaces.map(({ name }) => name)).toEqual(['lo']);
    expect(host.processes[0]).toMatchObject({ name: 'supervisor', pid: pod.command.pid });
    if (ownKernel) {
      expect(host.processes.map(({ name }) => name).sort()).toEqual(['qemu', 'supervisor', 'virtiofsd']);
      expect(overhead.memory_bytes).toBeGreaterThan(32 * MIB);
    }
  });

  test('what is entered is of its app', async () => {
    const entered = rkt.start(['enter', '--app=idle', pod.uuid, '/bin/sh', '-c', 'echo in; sleep 100000']);
    await eventually('the program runs', () => entered.stdout === 'in\n');
    const { apps } = await sampleOf(pod.uuid);
    expect(apps.map(({ pids }) => pids)).toEqual([1, 3]);
    entered.signal('SIGKILL');
    await eventually('the program has ended', async () => (await sampleOf(pod.uuid)).apps[1]?.pids === 2);
  });

  test('--follow goes on until it is interrupted, a sample each --interval', async () => {
    const command = rkt.start(['stats', '--follow', '--interval=1500ms', '--format=json', pod.uuid]);
    const samples = () => command.stdout.split('\n').slice(0, -1);
    await eventually('there are three samples', () => samples().length >= 3);
    command.signal('SIGINT');
    expect(await command.finished).toMatchObject({ code: 0, stderr: '' });
    const times = samples().map((line) => (JSON.parse(line) as Sample).time / 1e6);
    expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(1499);
    const refused = await rkt.run(['stats', '--interval=99ms']);
    expect(refused.code).toBe(254);
    expect(refused.stderr).toContain('"99ms" is not between 100ms and 24 days');
  });

  test('at a terminal it is redrawn in one place, and the last view stays', async () => {
    const follow = ['stats', '-f', '--interval=200ms', pod.uuid];
    const terminal = new TerminalCommand(rkt, rkt.argv(follow));
    await terminal.waitFor(/\x1b\[\d+A\rUUID/);
    terminal.type(CTRL_C);
    expect((await terminal.finished).code).toBe(0);
    expect(terminal.shown).toMatch(/\x1b\[J\x1b\[\?25hUUID\t\tAPP[\s\S]*\(overhead\)/);
  });

  test('top shows those that use most first, and q ends it', async () => {
    const other = await start(['loop', 'while :; do sleep 0.2; done']);
    const follow = rkt.start(['top', '--interval=500ms']);
    await eventually('there are three tables', () => follow.stdout.split('UUID\t\tAPP').length > 3);
    follow.signal('SIGTERM');
    expect((await follow.finished).code).toBe(0);
    const second = follow.stdout.split('UUID\t\tAPP')[2] ?? '';
    const used = [...second.matchAll(/^\w{8}\t(\S+)\t+([\d.]+)\t/gm)].map(([, name, cpu]) => [
      name,
      Number(cpu),
    ]);
    expect(used.map(([name]) => name)).toEqual(expect.arrayContaining(['busy', 'idle', 'loop']));
    expect(used).toEqual([...used].sort(([, a], [, b]) => Number(b) - Number(a)));
    await endPod(other);

    const terminal = new TerminalCommand(rkt, rkt.argv(['top', pod.uuid]));
    await terminal.waitFor(/\(overhead\)/);
    terminal.type('q');
    expect((await terminal.finished).code).toBe(0);
  });

  test('a guest that does not answer is named, and keeps no other pod', async () => {
    const stuck = await start(['stuck', 'exec sleep 100000']);
    const { host } = await sampleOf(stuck.uuid);
    const [machine] = host.processes.filter(({ name }) => name === 'qemu' || name === 'init');
    if (machine === undefined) throw new Error('no machine to be stopped');
    process.kill(machine.pid, 'SIGSTOP');
    const { code, stdout, stderr } = await rkt.run(['stats']);
    process.kill(machine.pid, 'SIGCONT');
    expect(code).toBe(254);
    expect(stderr).toBe(
      `stats: the guest of pod "${stuck.uuid}" does not answer\nstats: not all pods tell what they use\n`,
    );
    expect(stdout).toMatch(new RegExp(`^${stuck.uuid.slice(0, 8)}\\t\\(silent\\)\\t`, 'm'));
    expect(stdout).toMatch(new RegExp(`^${pod.uuid.slice(0, 8)}\\tbusy\\t`, 'm'));
    // It answers again, and the old answer is not taken for a new one.
    expect((await sampleOf(stuck.uuid)).answered).toBe(true);
    await endPod(stuck);
    const ended = await rkt.run(['stats', stuck.uuid]);
    expect(ended).toMatchObject({
      code: 254,
      stderr: `stats: pod "${stuck.uuid}" isn't currently running\n`,
    });
  });

  test('--follow of named pods ends when they have ended', async () => {
    const brief = await start(['brief', 'exec sleep 100000']);
    const follow = rkt.start(['stats', '--follow', '--interval=200ms', brief.uuid]);
    await eventually('there is a table', () => follow.stdout.includes('brief'));
    await endPod(brief);
    const { code, stderr } = await follow.finished;
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: `stats: pod "${brief.uuid}" isn't currently running\n`,
    });
  });

  test.runIf(ownKernel)('what the guest’s kernel does not count is not known, and the pod runs', async () => {
    const file = rkt.path('less-uuid');
    const words = [`--stage1-path=${stage1}`, '--net=none', `--uuid-file-save=${file}`, image, '--name=less'];
    const env = { RKT_HYPERVISOR_EXTRA_KERNEL_PARAMS: 'cgroup_disable=memory,pids' };
    const command = rkt.start(['run', ...words, '--exec=/bin/sleep', '--', '100000'], { env });
    const uuid = await eventually('the pod has a UUID', () => savedUuid(file));
    pods.push({ uuid, command });
    await rkt.output(['status', '--wait-ready', uuid]);
    const [app] = (await sampleOf(uuid)).apps;
    expect(app).toEqual({
      ...{ name: 'less', cpu_percent: expect.any(Number), cpu_usec: expect.any(Number) },
      ...{ read_bytes: expect.any(Number), written_bytes: expect.any(Number), bytes_of: 'calls' },
    });
    expect(await rkt.output(['stats', uuid])).toMatch(/\tless\t+[\d.]+\t-\t-\t-\t/);
    await endPod({ uuid, command });
  });

  test('--uuid-file names the pod', async () => {
    const file = rkt.path('stats-uuid');
    writeFileSync(file, `${pod.uuid}\n`);
    expect((await sampleOf(`--uuid-file=${file}`)).uuid).toBe(pod.uuid);
  });

  test('restarts do not reset what an app has used', async () => {
    const again = await startPod(rkt, [
      ...[`--stage1-path=${stage1}`, image, '--name=again', '--restart=always', '--exec=/bin/sh'],
      ...['--', '-c', 'i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done; exit 1'],
    ]);
    pods.push(again);
    const restarts = async () => {
      const [listed] = JSON.parse(await rkt.output(['inspect', again.uuid]));
      return Number(listed.apps[0].restarts);
    };
    await eventually('it has been started again', async () => (await restarts()) >= 1);
    const first = (await sampleOf(again.uuid)).apps[0]?.cpu_usec ?? 0;
    const before = await restarts();
    await eventually('and again', async () => (await restarts()) > before);
    expect((await sampleOf(again.uuid)).apps[0]?.cpu_usec).toBeGreaterThan(first);
    await endPod(again);
  });
});

test('without running pods there is nothing but the headings', async () => {
  await Promise.all(pods.map(endPod));
  const { stdout } = await rkt.run(['stats', '--interval=100ms']);
  expect(stdout).toBe('UUID\tAPP\tCPU %\tMEMORY\tPEAK\tPIDS\tREAD\tWRITTEN\n');
});
