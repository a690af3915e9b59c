import { mkdirSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { LOCKS, PORTS_LOCK } from '../../src/abi/pod-directory.ts';
import { ensureLockFile, exclusive } from '../../src/os/lock.ts';
import { writeFileImage } from '../support/file-image.ts';
import { tinyImages } from '../support/images.ts';
import { expectAnswers, FAR, machineAsker, type SitePod, useSite } from '../support/network-site.ts';
import { peerDirectory } from '../support/peer-program.ts';
import { eventually } from '../support/polling.ts';
import type { ScopeProcess } from '../support/process-scope.ts';

const site = useSite();

/** An app that serves at its port 8080, and declares more than it has. */
async function writeImage(path: string): Promise<string> {
  const port = (name: string, protocol: string, number: number) => ({ name, protocol, port: number });
  return writeFileImage(path, {
    name: 'example.com/peer',
    exec: ['/files/peer', 'serve', '8080'],
    files: await peerDirectory(),
    ports: [
      port('www', 'tcp', 8080),
      port('names', 'udp', 8080),
      port('privileged', 'tcp', 80),
      port('taken', 'tcp', 9090),
      port('published', 'tcp', 8081),
    ],
  });
}

function descendants(pid: number, all: readonly ScopeProcess[]): readonly ScopeProcess[] {
  const children = all.filter(({ parent }) => parent === pid);
  return [
    ...all.filter((process) => process.pid === pid),
    ...children.flatMap((child) => descendants(child.pid, all)),
  ];
}

describe('--net=host', () => {
  let pod: SitePod | undefined;
  const running = () => {
    if (pod === undefined) throw new Error('the pod has not started');
    return pod;
  };
  let before = '';
  const look = async () =>
    [await site.now.host.run('ip', '-o', 'link'), await site.now.host.run('nft', 'list', 'ruleset')].join(
      '\n',
    );

  beforeAll(async () => {
    const { host, outside, rkt } = site.now;
    const serve = (protocol: 'tcp' | 'udp', address: string, port: number) =>
      ({ do: 'serve', protocol, address, port }) as const;
    const resolvConf = rkt.path('resolv.conf');
    writeFileSync(resolvConf, 'nameserver 127.0.0.53\nnameserver 192.0.2.2\nsearch example.com\n');
    await host.run('mount', '--bind', resolvConf, '/etc/resolv.conf');
    await Promise.all([
      outside.ask(serve('tcp', '::', 90)),
      outside.ask(serve('udp', FAR.v4, 90)),
      host.ask(serve('tcp', '127.0.0.1', 7000)),
      host.ask(serve('tcp', '192.0.2.1', 7001)),
      host.ask(serve('tcp', '127.0.0.1', 9090)),
      host.ask(serve('udp', '127.0.0.53', 53)),
    ]);
    await site.now.pod('--port=8081:80');
    before = await look();
    // With a file server: it is of those that are not to be there.
    const flags = ['--net=host', '--rootfs=virtiofs'];
    pod = await (await site.now.run(...flags, await writeImage(rkt.path('host.aci')))).served();
  });

  test('connects to others, and to the host, by the addresses of the host', async () => {
    await expectAnswers(running(), {
      [`tcp ${FAR.v4} 90`]: '192.0.2.1',
      [`udp ${FAR.v4} 90`]: '192.0.2.1',
      [`tcp ${FAR.v6} 90`]: '2001:db8::1',
      'tcp 192.0.2.1 7001': '192.0.2.1',
      'tcp 192.0.2.1 7000': 'ECONNREFUSED',
    });
  });

  test('has a network of two between it and QEMU', async () => {
    const routes = await running().shell('ip route; ip -6 route');
    expect(routes).toContain('10.0.2.0/24 dev eth0 scope link  src 10.0.2.15');
    expect(routes).toContain('default via 10.0.2.2 dev eth0');
    expect(routes).toContain('fd72:6b74::/64 dev eth0');
    expect(routes).toContain('default via fd72:6b74::2 dev eth0');
  });

  test("reaches the host's loopback by its gateway", async () => {
    await expectAnswers(running(), { 'tcp 10.0.2.2 7000': '127.0.0.1' });
  });

  test('carries bytes both ways', async () => {
    const megabyte = 1024 * 1024;
    const question = {
      protocol: 'tcp',
      address: FAR.v4,
      port: 90,
      send: megabyte,
      receive: megabyte,
    } as const;
    expect(await running().answers([question])).toEqual(['192.0.2.1']);
  });

  test("is reached at the ports that its app declares, by the host's addresses", async () => {
    await expectAnswers(machineAsker(site.now.outside), {
      'tcp 192.0.2.1 8080': '192.0.2.2',
      'udp 192.0.2.1 8080': '192.0.2.2',
      'tcp 192.0.2.1 80': 'ECONNREFUSED',
    });
    await expectAnswers(machineAsker(site.now.host), { 'tcp 127.0.0.1 8080': '10.0.2.2' });
  });

  test('says which ports those are, and which are not, and keeps the latter for later', async () => {
    const { stderr } = running().command;
    expect(stderr).toContain(
      "on the host's addresses: port 8080/tcp of app peer, port 8080/udp of app peer\n",
    );
    expect(stderr).toContain(
      "port 80/tcp of app peer is not the host's: the machine may not listen below 1024 (net.ipv4.ip_unprivileged_port_start)\n",
    );
    expect(await site.now.rkt.output(['status', running().uuid])).toContain(
      '\nports=0.0.0.0:8080:8080/tcp, 0.0.0.0:8080:8080/udp\n',
    );
    const warnings = readFileSync(`${site.now.rkt.dir}/pods/run/${running().uuid}/warnings`, 'utf8');
    for (const taken of [9090, 8081])
      expect(warnings).toContain(
        `port ${taken}/tcp of app peer is not the host's: another program or pod of the host has it\n`,
      );
  });

  test('asks the name servers of the host, by way of QEMU those that the host alone reaches', async () => {
    expect(await running().shell('cat /etc/resolv.conf')).toMatch(
      /^search example\.com\nnameserver 10\.0\.2\.3\nnameserver 192\.0\.2\.2\n/m,
    );
    await expectAnswers(running(), { 'udp 10.0.2.3 53': '127.0.0.1' });
  });

  test('makes nothing on the host', async () => {
    expect(await look()).toBe(before);
  });

  test("has its QEMU in the host's network, and confined as ever; nothing else of the pod is there", () => {
    const family = descendants(running().command.pid, site.now.rkt.scope.processes());
    const networks = new Map(
      family.map(({ name, pid }) => [name.slice(0, 4), readlinkSync(`/proc/${pid}/ns/net`)]),
    );
    const ofHost = readlinkSync(site.now.host.netns);
    const { pid } = family.find(({ name }) => name.startsWith('qemu')) ?? { pid: 0 };
    expect([...networks.keys()]).toEqual(expect.arrayContaining(['qemu', 'virt']));
    expect(networks.get('qemu')).toBe(ofHost);
    for (const [name, network] of networks)
      if (name !== 'qemu') expect([name, network]).not.toContain(ofHost);
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    const uid = readFileSync(`${site.now.rkt.dir}/pods/run/${running().uuid}/vm-id`, 'utf8').trim();
    for (const line of [
      'CapEff:\t0000000000000000',
      'CapBnd:\t0000000000000000',
      'NoNewPrivs:\t1',
      'Seccomp:\t2',
    ])
      expect(status).toContain(`${line}\n`);
    expect(status).toMatch(new RegExp(`^Uid:\t${uid}\t${uid}\t${uid}\t${uid}$`, 'm'));
    // QEMU's own, and the one of sockets.
    expect(status).toContain('Seccomp_filters:\t2\n');
    for (const kind of ['mnt', 'pid', 'ipc'])
      expect(readlinkSync(`/proc/${pid}/ns/${kind}`)).not.toBe(readlinkSync(`/proc/self/ns/${kind}`));
  });
});

test('takes ports in turn with other pods: what has been taken while it waits is left alone', async () => {
  const { host, rkt } = site.now;
  const port = (name: string, number: number) => ({ name, protocol: 'tcp', port: number });
  const image = await writeFileImage(rkt.path('turn.aci'), {
    name: 'example.com/peer',
    exec: ['/files/peer', 'serve', '8100'],
    files: await peerDirectory(),
    ports: [port('free', 8100), port('taken', 8101)],
  });
  mkdirSync(join(rkt.dir, LOCKS), { recursive: true });
  using turn = await exclusive(ensureLockFile(join(rkt.dir, LOCKS, PORTS_LOCK)));
  const started = site.now.run('--net=host', image);
  await eventually('the pod waits for its turn', () => hasWaiters(turn.path));
  await host.ask({ do: 'serve', protocol: 'tcp', address: '127.0.0.1', port: 8101 });
  turn.release();
  const { command, uuid } = await started;
  expect(command.stderr).toContain("port 8101/tcp of app peer is not the host's: another program");
  expect(await rkt.output(['status', uuid])).toContain('\nports=0.0.0.0:8100:8100/tcp\n');
});

function hasWaiters(path: string): boolean {
  const waiter = new RegExp(`-> FLOCK .*:${statSync(path).ino} `);
  return waiter.test(readFileSync('/proc/locks', 'utf8'));
}

test('is refused together with --port', async () => {
  const { aci } = await tinyImages();
  const { code, stderr } = await site.now.rkt.run(['run', '--net=host', '--port=8080:80', aci.plain]);
  expect({ code, stderr }).toEqual({
    code: 254,
    stderr: "run: --port flag does not work with 'host' networking\n",
  });
});
