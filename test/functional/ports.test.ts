import { writeFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import { PLUGIN_SETS } from '../support/cni-chain.ts';
import { leftOfPods } from '../support/network-look.ts';
import {
  expectAnswers,
  machineAsker,
  type NetworkSite,
  question,
  type SitePod,
  useSite,
} from '../support/network-site.ts';
import { eventually } from '../support/polling.ts';

// Whom ports of the host belong to, and that they lead where `status` says; by which ways they are reached is in network-pods.test.ts.

const site = useSite();

interface ShownPort {
  readonly name: string;
  readonly host_port: number;
}

const portsOf = async ({ uuid }: SitePod): Promise<readonly ShownPort[]> =>
  JSON.parse(await site.now.rkt.output(['status', '--format=json', uuid])).ports;

const refusal = async (...args: string[]) => {
  const { code, stderr } = await site.now.rkt.run(args);
  expect(code).toBe(254);
  return stderr;
};

/** A port of the host leads to a pod; its app listens some time after it has been started. */
const served = async ({ outside }: NetworkSite, text: string) => {
  const asker = machineAsker(outside);
  await eventually(`${text} is served`, async () => {
    const [answer] = await asker.answers([question(text)]);
    return answer === '192.0.2.2';
  });
};

/** `rkt run` of a pod that does not come to run. */
const refusedRun = async (...flags: string[]) => refusal('run', ...flags, await site.now.peerImage());

test('ports are shown as they are, lead to the pod alone, and are free when it has ended', async () => {
  const { now } = site;
  const flags = ['--port=www:8080', '--port=0:80/udp', '--port=192.0.2.1:8090-8091:80-81'];
  const pod = await now.pod('--net=default', '--pod-name=holder', ...flags);
  const shown = await portsOf(pod);
  const any = shown[1]?.host_port ?? 0;
  expect(any).toBeGreaterThanOrEqual(10_000);
  expect(shown).toEqual([
    { name: 'www', protocol: 'tcp', host_port: 8080, pod_port: 80, count: 1 },
    { name: '80-udp', protocol: 'udp', host_port: any, pod_port: 80, count: 1 },
    { name: '80-tcp', protocol: 'tcp', host_ip: '192.0.2.1', host_port: 8090, pod_port: 80, count: 2 },
  ]);
  expect(await now.rkt.output(['status', 'holder'])).toContain(
    `\nports=8080:80/tcp, ${any}:80/udp, 192.0.2.1:8090-8091:80-81/tcp\n`,
  );
  await served(now, 'tcp 192.0.2.1 8080');
  await expectAnswers(machineAsker(now.outside), {
    'tcp 192.0.2.1 8080': '192.0.2.2',
    [`udp 192.0.2.1 ${any}`]: '192.0.2.2',
    'tcp 192.0.2.1 8090': '192.0.2.2',
    // It leads to the pod, where nobody listens.
    'tcp 192.0.2.1 8091': 'ECONNREFUSED',
  });

  const owner = `is taken by pod "holder" "${pod.uuid}" (running)\n`;
  expect(await refusedRun('--net=default', '--port=8080:80')).toBe(`run: tcp port 8080 ${owner}`);
  expect(await refusedRun('--net=default', '--port=[::]:8079-8081:80-82')).toBe(
    `run: tcp ports [::]:8079-8081 ${owner}`,
  );
  expect(await refusedRun('--net=default', '--port=8091:80')).toBe(`run: tcp port 8091 ${owner}`);
  // One that is refused has left nothing, and has not been there.
  expect((await now.rkt.list()).map(({ name }) => name)).toEqual([pod.uuid]);
  const prepared = (await now.rkt.output(['prepare', '--port=www:8080', await now.peerImage()])).trim();
  expect(await refusal('run-prepared', '--net=default', prepared)).toBe(
    `run-prepared: tcp port 8080 ${owner}`,
  );
  expect(await now.rkt.output(['status', prepared])).toMatch(/^state=prepared$/m);
  await now.rkt.output(['rm', prepared]);

  expect(await pod.end()).toBe(143);
  expect(await now.rkt.output(['status', pod.uuid])).not.toContain('ports=');
  await expectAnswers(machineAsker(now.outside), { 'tcp 192.0.2.1 8080': 'ECONNREFUSED' });
});

test('a port that a program of the host has is not taken from it', async () => {
  const { host } = site.now;
  await host.ask({ do: 'serve', protocol: 'tcp', address: '127.0.0.1', port: 7000 });
  await host.ask({ do: 'serve', protocol: 'udp', address: '::', port: 7001 });
  const taken = (port: string, by: string) => `run: ${port} is taken: a program of the host has ${by}\n`;
  expect(await refusedRun('--net=default', '--port=7000:80')).toBe(
    taken('tcp port 7000', 'tcp port 127.0.0.1:7000'),
  );
  expect(await refusedRun('--net=default', '--port=127.0.0.1:6990-7009:80-99')).toBe(
    taken('tcp ports 127.0.0.1:6990-7009', 'tcp port 127.0.0.1:7000'),
  );
  expect(await refusedRun('--net=default', '--port=192.0.2.1:7001:80/udp')).toBe(
    taken('udp port 192.0.2.1:7001', 'udp port 7001'),
  );
});

test('a port that no address of the pod can have is told, and nothing stays', async () => {
  const { rkt, host } = site.now;
  const file = rkt.path('lost');
  expect(await refusedRun('--net=default', `--uuid-file-save=${file}`, '--port=[::]:8080:80')).toContain(
    'tcp port [::]:8080 leads nowhere: the pod has no address of IPv6 there',
  );
  expect(
    await leftOfPods(
      host,
      (await rkt.list()).map(({ name }) => name),
    ),
  ).toEqual([]);
});

test('ports of a pod without apps lead to those that come later', async () => {
  const { now } = site;
  await now.rkt.output(['fetch', await now.peerImage()]);
  const flags = ['--net=default', '--port=web:tcp:80::8085', '--port=0:80'];
  const uuid = (await now.rkt.output(['app', 'sandbox', '--detach', ...flags])).trim();
  const shown = await now.rkt.output(['status', uuid]);
  expect(shown).toMatch(/^ports=8085:80\/tcp, \d+:80\/tcp$/m);
  await now.rkt.output(['app', 'add', uuid, 'example.com/peer', '--name=peer']);
  await now.rkt.output(['app', 'start', uuid, '--app=peer']);
  await served(now, 'tcp 192.0.2.1 8085');
  await now.rkt.output(['stop', uuid]);
  await eventually('its ports are free', async () => (await leftOfPods(now.host, [uuid])).length === 0);
});

test('a pod manifest publishes ports as --port does', async () => {
  const { now } = site;
  const uuid = (await now.rkt.output(['prepare', '--port=www:8080', await now.peerImage()])).trim();
  const manifest = JSON.parse(await now.rkt.output(['cat-manifest', uuid]));
  await now.rkt.output(['rm', uuid]);
  manifest.ports = [{ name: 'www', hostPort: 8088, hostIP: '192.0.2.1' }];
  writeFileSync(now.rkt.path('pod.json'), JSON.stringify(manifest));
  const pod = await now.run('--net=default', `--pod-manifest=${now.rkt.path('pod.json')}`);
  await served(now, 'tcp 192.0.2.1 8088');
  await pod.end();
});

describe.each(PLUGIN_SETS)('by the plugins of $of', (plugins) => {
  const site = useSite(plugins);

  test('of two that want a port at once one gets it; when it is killed another takes its rules away, and has the port', async () => {
    const { now } = site;
    const started = await Promise.allSettled([1, 2].map(() => now.pod('--net=default', '--port=8080:80')));
    const [first, second] = started.flatMap((each) => (each.status === 'fulfilled' ? [each.value] : []));
    const refused = started.flatMap((each) => (each.status === 'rejected' ? [String(each.reason)] : []));
    if (first === undefined) throw new Error(`neither runs: ${refused}`);
    expect(second).toBeUndefined();
    expect(refused.join()).toMatch(
      new RegExp(`run: tcp port 8080 is taken by pod "${first.uuid}" \\((preparing|running)\\)`),
    );
    await served(now, 'tcp 192.0.2.1 8080');
    first.command.signal('SIGKILL');
    await first.command.finished;
    expect(await leftOfPods(now.host, [first.uuid])).not.toEqual([]);

    // An old configuration, of one plugin and without a version.
    now.network('old.conf', {
      name: 'old',
      type: 'bridge',
      bridge: 'old0',
      isGateway: true,
      ipMasq: true,
      ipam: { type: 'host-local', subnet: '10.9.0.0/24', routes: [{ dst: '0.0.0.0/0' }] },
    });
    const next = await now.pod('--net=old', '--port=8080:80');
    await served(now, 'tcp 192.0.2.1 8080');
    await eventually('nothing is left of the first', async () =>
      isDeepStrictEqual(await leftOfPods(now.host, [first.uuid]), await leftOfPods(now.host, [])),
    );
    // It is there still, for whoever looks why it ended.
    expect(await now.rkt.output(['status', first.uuid])).toMatch(/^state=exited$/m);
    await next.end();
  });
});
