import { existsSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { POD } from '../../src/abi/pod-directory.ts';
import { parseTimeline } from '../../src/abi/timeline.ts';
import { CniChain, PLUGIN_SETS } from '../support/cni-chain.ts';
import type { RunningCommand } from '../support/command.ts';
import { tinyImages } from '../support/images.ts';
import { podDirectories } from '../support/leaks.ts';
import { NetworkHost } from '../support/network-host.ts';
import { leasesOf, leftOfPods, linksOf } from '../support/network-look.ts';
import { NetworkSite } from '../support/network-site.ts';
import { eventually } from '../support/polling.ts';
import type { RktHome } from '../support/rkt.ts';
import { ownTemplates } from '../support/templates.ts';

// What plugins do at once, for fifty real pods: each gets an address of its own, and keeps all of its rules. Their machines are stopped as
// soon as they are started: fifty of them have no room where tests run, and networks are there before.

const PODS = 50;
const NETWORK = 'crowd';
const ipam = { type: 'host-local', ranges: [[{ subnet: '10.50.0.0/24' }], [{ subnet: 'fd00:50::/64' }]] };
const BRIDGE = { type: 'bridge', bridge: 'crowd0', isGateway: true, ipMasq: true, ipam };
const PORTMAP = { type: 'portmap', snat: true, capabilities: { portMappings: true } };
const portOf = (n: number) => 20000 + n;

test.each(PLUGIN_SETS)(
  `${PODS} pods at once on a network of $of: no lease is given twice, no rule is lost, and gc takes all away`,
  async (plugins) => {
    const site = await NetworkSite.start(plugins);
    onTestFinished(() => site.close());
    const { rkt, host } = site;
    // A machine that is restored runs before it is seen, and one that does not go on is given up for one that boots.
    ownTemplates(rkt, { scope: 'off' });
    const image = (await tinyImages()).aci.plain;
    await rkt.output(['fetch', image]);
    site.network('10-crowd.conflist', { cniVersion: '1.0.0', name: NETWORK, plugins: [BRIDGE, PORTMAP] });
    // Debian's fail where two make the chains that all share.
    if (plugins.of !== 'rkt') await makeShared(host, plugins.directory);

    const commands = Array.from({ length: PODS }, (_, n) =>
      rkt.start(['run', `--net=${NETWORK}`, `--port=${portOf(n)}:80`, image, '--exec=/bin/true'], {
        timeoutSeconds: 900,
      }),
    );
    const pods = await untilConnected(rkt, commands);

    const leases = await leasesOf(host, NETWORK);
    const addresses = pods.map(({ address }) => address);
    expect(leases.filter((lease) => !lease.includes(':')).sort()).toEqual(addresses.sort());
    expect(new Set(leases).size).toBe(2 * PODS);
    for (const { uuid, address } of pods) {
      const owner = await host.run('cat', `/var/lib/cni/networks/${NETWORK}/${address}`);
      expect(owner.split(/\r?\n/)[0]).toBe(uuid);
    }
    const ports = (await linksOf(host)).filter(({ master }) => master === BRIDGE.bridge);
    expect(ports).toHaveLength(PODS);
    const rules = await host.run('sh', '-c', 'iptables-save; ip6tables-save; nft list ruleset');
    const [first = [], ...others] = pods.map((pod) => shapeOf(rules, pod));
    expect(first.join('\n')).toMatch(/masquerade/i);
    expect(first.join('\n')).toMatch(/dnat/i);
    for (const shape of others) expect(shape).toEqual(first);

    for (const command of commands) command.signal('SIGKILL');
    await Promise.all(commands.map(({ finished }) => finished));
    await rkt.output(['gc', '--grace-period=0s'], { timeoutSeconds: 600 });
    const uuids = pods.map(({ uuid }) => uuid);
    await eventually('nothing is left of them', async () => (await leftOfPods(host, uuids)).length === 0);
    expect(await leasesOf(host, NETWORK)).toEqual([]);
  },
  1_200_000,
);

/** What a first container makes and leaves for all. */
async function makeShared(host: NetworkHost, directory: string): Promise<void> {
  const container = await NetworkHost.start();
  const runtimeConfig = { portMappings: [{ hostPort: 9999, containerPort: 80, protocol: 'tcp' }] };
  const chain = new CniChain(
    host,
    container,
    directory,
    [BRIDGE, { ...PORTMAP, runtimeConfig }],
    {},
    NETWORK,
  );
  await chain.add();
  await chain.del();
  await container[Symbol.asyncDispose]();
}

interface Connected {
  readonly uuid: string;
  readonly address: string;
  readonly address6: string;
  readonly port: number;
}

/** All of the pods, when all are on their network. Meanwhile their machines stop as they come. */
async function untilConnected(rkt: RktHome, commands: readonly RunningCommand[]): Promise<Connected[]> {
  const stopped = new Set<number>();
  await eventually(
    'all are on their network',
    () => {
      const ended = commands.find((command) => command.ended);
      if (ended !== undefined) throw new Error(`a pod has ended: ${ended.stderr}`);
      for (const { pid, name } of rkt.scope.processes())
        if (name.startsWith('qemu') && !stopped.has(pid)) {
          process.kill(pid, 'SIGSTOP');
          stopped.add(pid);
        }
      return podDirectories(rkt.dir).filter(isConnected).length === commands.length;
    },
    800,
  );
  return podDirectories(rkt.dir).map(connected);
}

function isConnected(pod: string): boolean {
  const file = join(pod, POD.timeline);
  return existsSync(file) && parseTimeline(readFileSync(file, 'utf8')).some(({ name }) => name === 'network');
}

function connected(pod: string): Connected {
  const [info] = JSON.parse(readFileSync(join(pod, POD.netInfo), 'utf8'));
  const addresses: readonly string[] = info.addresses.map((text: string) => text.replace(/\/.*/, ''));
  const [published] = JSON.parse(readFileSync(join(pod, POD.ports), 'utf8'));
  return {
    uuid: basename(pod),
    address: addresses.find((text) => !text.includes(':')) ?? '',
    address6: addresses.find((text) => text.includes(':')) ?? '',
    port: published.hostPort,
  };
}

/** The rules that are a pod's, as if all pods were the same. */
function shapeOf(rules: string, { uuid, address, address6, port }: Connected): string[] {
  const words: readonly [RegExp, string][] = [
    [new RegExp(uuid, 'g'), 'UUID'],
    [new RegExp(`\\b${address.replaceAll('.', '\\.')}\\b`, 'g'), 'ADDRESS'],
    [new RegExp(`${address6}(?![0-9a-f])`, 'g'), 'ADDRESS'],
    [new RegExp(`\\b${port}\\b`, 'g'), 'PORT'],
  ];
  return rules
    .split('\n')
    .filter((line) => words.some(([word]) => line.search(word) >= 0))
    .map((line) =>
      words
        .reduce((text, [word, instead]) => text.replace(word, instead), line)
        .replace(/CNI-(DN-)?[0-9a-f]+|# handle \d+|counter packets \d+ bytes \d+|\[\d+:\d+\]/g, '')
        .trim(),
    )
    .sort();
}
