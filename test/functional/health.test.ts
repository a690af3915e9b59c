import { dirname, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { FLAVOURS } from '../support/flavours.ts';
import { tinyImages } from '../support/images.ts';
import { LayoutWriter } from '../support/layout-writer.ts';
import { eventually } from '../support/polling.ts';
import { useRkt } from '../support/rkt.ts';
import { endPod, startPod, startSandbox, useRunningPods } from '../support/running-pod.ts';
import { toolBytes } from '../support/tool.ts';

const rkt = useRkt();
const pods = useRunningPods();
let image = '';
beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
});

interface Health {
  readonly status: string;
  readonly failures: number;
  readonly checked_at?: number;
  readonly exit_code?: number;
  readonly output?: string;
}

async function healthOf(uuid: string): Promise<Health | undefined> {
  const { apps } = JSON.parse(await rkt.output(['status', '--format=json', uuid]));
  return apps[0].health;
}

describe.each(FLAVOURS)('$name: a health check', ({ image: stage1 }) => {
  const app = (flags: readonly string[], script = 'while :; do sleep 1; done') => [
    ...[image, '--name=app', '--exec=/bin/sh', ...flags, '--', '-c', script],
  ];
  const start = async (flags: readonly string[], script?: string) => {
    const pod = await startPod(rkt, [`--stage1-path=${stage1}`, ...app(flags, script)]);
    pods.push(pod);
    return pod;
  };
  const becomes = (uuid: string, status: string) =>
    eventually(`the app is ${status}`, async () => {
      const health = await healthOf(uuid);
      return health?.status === status ? health : undefined;
    });

  test('tells a healthy app from an unhealthy one, as long as it is so', async () => {
    const check = 'echo "looked"; cat /sick 2>/dev/null && exit 3; exit 0';
    const pod = await start([`--health-cmd=${check}`, '--health-interval=300ms', '--health-retries=2']);
    expect(await healthOf(pod.uuid)).toMatchObject({ failures: 0 });
    expect(await becomes(pod.uuid, 'healthy')).toMatchObject({ exit_code: 0, failures: 0, output: 'looked' });
    expect(await rkt.output(['status', pod.uuid])).toMatch(/^app-app-health=healthy$/m);
    await rkt.output(['enter', pod.uuid, '/bin/sh', '-c', 'echo it is sick > /sick']);
    const sick = await becomes(pod.uuid, 'unhealthy');
    expect(sick).toMatchObject({ exit_code: 3, output: 'looked\nit is sick' });
    expect(sick.failures).toBeGreaterThanOrEqual(2);
    await rkt.output(['enter', pod.uuid, '/bin/sh', '-c', 'rm /sick']);
    await becomes(pod.uuid, 'healthy');
    // It only reports: the app was never touched, and its output has nothing of the checks.
    await endPod(pod);
    expect(pod.command.stdout).toBe('');
    expect(await rkt.output(['status', pod.uuid])).not.toContain('health');
  });

  test('is killed, with what it has started, when it takes too long', async () => {
    const check = 'sleep 986; true';
    const flags = [
      `--health-cmd=${check}`,
      '--health-interval=500ms',
      '--health-timeout=1s',
      '--health-retries=1',
    ];
    const pod = await start(flags);
    expect(await becomes(pod.uuid, 'unhealthy')).toMatchObject({ output: 'it took longer than 1 s' });
    await eventually('two checks have been', async () => ((await healthOf(pod.uuid))?.failures ?? 0) >= 2);
    const processes = await rkt.output(['enter', pod.uuid, '/bin/sh', '-c', 'ps']);
    expect(processes.match(/root +sleep 986$/gm)?.length ?? 0).toBeLessThan(2);
    // One that is under way delays nothing.
    await endPod(pod);
  });

  test('does not count failures of the start period', async () => {
    const flags = ['--health-cmd=exit 1', '--health-interval=200ms', '--health-retries=1'];
    const pod = await start([...flags, '--health-start-period=1h']);
    const first = await eventually('a check has been', async () => {
      const health = await healthOf(pod.uuid);
      return health?.checked_at === undefined ? undefined : health;
    });
    await eventually(
      'more have been',
      async () => (await healthOf(pod.uuid))?.checked_at !== first.checked_at,
    );
    expect(await healthOf(pod.uuid)).toMatchObject({ status: 'starting', failures: 0, exit_code: 1 });
    await endPod(pod);
  });

  test('has the confinement of its app', async () => {
    const check = 'id -u; grep CapBnd /proc/self/status; exit 1';
    const flags = [`--health-cmd=${check}`, '--health-interval=200ms', '--health-retries=1', '--user=1000'];
    const pod = await start(flags);
    const { output } = await becomes(pod.uuid, 'unhealthy');
    const bound = await rkt.output(['enter', pod.uuid, '/bin/sh', '-c', 'grep CapBnd /proc/1/status; id -u']);
    expect(output).toMatch(/^1000\nCapBnd:/);
    // All that there are; this machine may lack CAP_SYS_RESOURCE.
    expect(bound).toMatch(/^CapBnd:\s+0000[0-9a-f]{4}f[ef]f{6}$/m);
    expect(output).not.toContain(/[0-9a-f]{16}/.exec(bound)?.[0] ?? '');
    await endPod(pod);
  });

  test("is the image's own, unless a flag says otherwise", async () => {
    const layout = new LayoutWriter(rkt.path('checked'));
    const files = await toolBytes('tar', ['-C', join(dirname(image), 'rootfs'), '-c', '.']);
    const config = {
      Cmd: ['/bin/sh', '-c', 'while :; do sleep 1; done'],
      Healthcheck: {
        Test: ['CMD', '/bin/echo', 'from the image'],
        Interval: 300_000_000,
        Timeout: 60_000_000_000,
      },
    };
    const checked = layout.tag(layout.image({ layers: [files], config }), 'latest');
    const run = (flags: readonly string[]) =>
      startPod(rkt, [`--stage1-path=${stage1}`, checked, '--name=app', ...flags]);
    const pod = await run([]);
    pods.push(pod);
    expect(await becomes(pod.uuid, 'healthy')).toMatchObject({ output: 'from the image' });
    await endPod(pod);
    const without = await run(['--health-cmd=']);
    pods.push(without);
    expect(await healthOf(without.uuid)).toBeUndefined();
    await endPod(without);
  });

  test('begins anew with an app that is started again', async () => {
    const flags = ['--health-cmd=test -e /well', '--health-interval=200ms', '--restart=always'];
    const script =
      'if [ -e /starts ]; then rm -f /well; echo again; sleep 1000; fi; touch /starts /well; until [ -e /go ]; do sleep 0.1; done';
    const pod = await start(flags, script);
    await becomes(pod.uuid, 'healthy');
    await rkt.output(['enter', pod.uuid, '/bin/touch', '/go']);
    await eventually('it runs again', () => pod.command.stdout.includes('again'));
    await becomes(pod.uuid, 'unhealthy');
    await endPod(pod);
  });
});

describe.each(FLAVOURS.filter(({ mutablePods }) => mutablePods))(
  '$name: a mutable pod',
  ({ image: stage1 }) => {
    test('checks apps that come, and checks one that is started again anew', async () => {
      const pod = await startSandbox(rkt, [`--stage1-path=${stage1}`]);
      pods.push(pod);
      await rkt.output(['fetch', image]);
      const flags = ['--health-cmd=test -e /well', '--health-interval=200ms', '--health-timeout=30s'];
      const add = ['app', 'add', pod.uuid, 'example.com/tiny', '--name=app', '--exec=/bin/sh', ...flags];
      const script = 'while :; do sleep 0.1; done';
      await rkt.output([...add, '--health-retries=1', '--health-start-period=0s', '--', '-c', script]);
      const start = ['app', 'start', pod.uuid, '--app=app'];
      const becomes = (status: string) =>
        eventually(`the app is ${status}`, async () => (await healthOf(pod.uuid))?.status === status);
      await rkt.output(start);
      await becomes('unhealthy');
      await rkt.output(['app', 'exec', '--app=app', pod.uuid, '/bin/touch', '/well']);
      await becomes('healthy');
      await rkt.output(['app', 'stop', pod.uuid, '--app=app']);
      expect(await healthOf(pod.uuid)).toBeUndefined();
      await rkt.output(start);
      await becomes('healthy');
      await endPod(pod);
    });
  },
);

describe('health flags refuse', () => {
  test.each([
    ['--health-interval=50ms', '--health-interval: 50ms is not from 100ms to 24h0m0s'],
    ['--health-timeout=25h', '--health-timeout: 25h is not from 100ms to 24h0m0s'],
    ['--health-timeout=soon', '--health-timeout: invalid duration "soon"'],
    ['--health-start-period=-1s', '--health-start-period: -1s is not from 0s to 24h0m0s'],
    ['--health-retries=0', '--health-retries: "0" is not a number from 1 to 1000000'],
  ])('%s', async (flag, problem) => {
    expect(await rkt.run(['run', '--net=none', image, '--health-cmd=true', flag])).toMatchObject({
      code: 254,
      stderr: `run: ${problem}\n`,
    });
  });

  test('to check nothing', async () => {
    const { code, stderr } = await rkt.run(['prepare', image, '--name=app', '--health-interval=1s']);
    expect({ code, stderr }).toMatchObject({ code: 254 });
    expect(stderr).toContain(
      'app app: flags of a health check, but neither --health-cmd nor image example.com/tiny says what to run',
    );
  });
});
