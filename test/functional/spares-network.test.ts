import { afterAll, beforeAll, expect, test } from 'vitest';
import { PLUGIN_SETS } from '../support/cni-chain.ts';
import { tinyImages } from '../support/images.ts';
import { leftOfPods, linksOf } from '../support/network-look.ts';
import { useSite } from '../support/network-site.ts';
import { eventually } from '../support/polling.ts';
import { savedUuid } from '../support/rkt.ts';
import { builtAlone, endSpares, keepers, oneWaits, ownSpares, TAKES, waiting } from '../support/spares.ts';
import { noneIsMade } from '../support/templates.ts';

// Pods on networks whose machines were restored before these were known.

const [PLUGINS] = PLUGIN_SETS;
const site = useSite(PLUGINS);
const uuids: string[] = [];
let image = '';
let key = '';

beforeAll(async () => {
  image = (await tinyImages()).aci.plain;
  const { rkt } = site.now;
  ownSpares(rkt);
  const ipam = (subnet: string) => ({ type: 'host-local', ranges: [[{ subnet }]] });
  const bridge = { type: 'bridge', bridge: 'one0', isDefaultGateway: true, ipMasq: true };
  const plugins = [{ ...bridge, ipam: ipam('10.60.0.0/24') }];
  site.now.network('10-one.conflist', { cniVersion: '1.0.0', name: 'one', plugins });
  const lan = { type: 'macvlan', master: 'up0', ipam: ipam('10.61.0.0/24') };
  site.now.network('20-lan.conf', { cniVersion: '1.0.0', name: 'lan', ...lan });
  key = await builtAlone(rkt, '--interfaces=1');
});
afterAll(() => endSpares(site.now.rkt));

async function run(net: string, script: string) {
  const { rkt } = site.now;
  const file = rkt.path(`uuid-${uuids.length}`);
  const words = ['--debug', 'run', `--net=${net}`, `--uuid-file-save=${file}`, image, '--exec=/bin/sh'];
  const { code, stdout, stderr } = await rkt.run([...words, '--', '-c', script]);
  uuids.push(savedUuid(file) ?? '');
  return { code, stdout, said: stderr };
}

/** The keeper of one that waits for a pod with one interface. */
async function left() {
  const { rkt } = site.now;
  if (keepers(rkt).length === 0) await run('one', 'true');
  return await oneWaits(rkt);
}

/** Nothing of pods that have ended, nor a tap of the machine that waits for the next. */
async function nothingIsLeft(): Promise<void> {
  const { host } = site.now;
  expect(await leftOfPods(host, uuids)).toEqual([]);
  expect((await linksOf(host)).map(({ ifname }) => ifname).filter((name) => name.includes('tap'))).toEqual(
    [],
  );
}

const LOOK = [
  'cat /sys/class/net/eth0/address',
  "ip -4 -o addr show dev eth0 | tr -s ' ' | cut -d ' ' -f 4",
  "ip route | grep -o 'default via [0-9.]*'",
  'ip -o link | wc -l',
].join('; ');

test('each has its own address and hardware address, and reaches its gateway and what is beyond', async () => {
  const looks: string[][] = [];
  for (let number = 0; number < 3; number++) {
    if (number > 0) await oneWaits(site.now.rkt);
    const reach =
      'ping -c 1 -w 5 10.60.0.1 > /dev/null && ping -c 1 -w 5 192.0.2.2 > /dev/null && echo reached';
    const { code, stdout, said } = await run('one', `${LOOK}; ${reach}`);
    expect(said).toContain(`starts from the template ${key}`);
    expect(said.includes(TAKES)).toBe(number > 0);
    expect(said).not.toMatch(/cold start|is not usable/);
    const lines = stdout.trim().split('\n');
    expect({ code, last: lines.at(-1) }).toEqual({ code: 0, last: 'reached' });
    looks.push(lines);
    await nothingIsLeft();
  }
  for (const column of [0, 1]) expect(new Set(looks.map((lines) => lines[column])).size).toBe(3);
  for (const [mac, address, route, links] of looks) {
    expect(mac).toMatch(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
    expect(address).toMatch(/^10\.60\.0\.\d+\/24$/);
    expect(route).toBe('default via 10.60.0.1');
    expect(links).toBe('2');
  }
});

test('one that runs is as the host sees it, on the network that is the default', async () => {
  const { rkt, host } = site.now;
  await left();
  const loop = ['--exec=/bin/sh', '--', '-c', 'trap exit TERM; while :; do sleep 0.1; done'];
  const pod = await site.now.run('--debug', image, ...loop);
  try {
    expect(pod.command.stderr).toContain(TAKES);
    const [listed] = (await rkt.list()).filter(({ name }) => name === pod.uuid);
    const [network] = listed?.networks ?? [];
    expect(network?.netName).toBe('default');
    const inside = await pod.shell(LOOK);
    expect(inside).toContain(`\n${network?.ip}/`);
    await host.run('busybox', 'ping', '-c', '1', '-w', '5', network?.ip ?? '');
    const [mac = ''] = inside.split('\n');
    expect(await host.run('ip', 'neigh', 'show', network?.ip ?? '')).toContain(mac);
  } finally {
    await pod.end();
  }
  uuids.push(pod.uuid);
  await nothingIsLeft();
});

test('on an interface upon that of the host, too', async () => {
  await left();
  const { code, stdout, said } = await run('lan', LOOK);
  expect(said).toContain(TAKES);
  expect(code).toBe(0);
  expect(stdout).toMatch(/^10\.61\.0\.\d+\/24$/m);
  await nothingIsLeft();
});

test('what has another number of interfaces starts without it, and leaves it where it is', async () => {
  const { rkt } = site.now;
  for (const [net, links] of [
    ['none', '1'],
    ['one,lan', '3'],
  ] as const) {
    const { pid } = await left();
    const { code, stdout, said } = await run(net, 'ip -o link | wc -l');
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${links}\n` });
    expect(said).not.toContain(TAKES);
    await noneIsMade(rkt);
    expect((await oneWaits(rkt)).pid).toBe(pid);
  }
  await nothingIsLeft();
});

test("a pod on the host's network takes none of those that have no interface", async () => {
  const { rkt } = site.now;
  await builtAlone(rkt, '--interfaces=0');
  const others = await waiting(rkt);
  expect((await run('none', 'true')).code).toBe(0);
  await eventually('one without an interface waits', async () => (await waiting(rkt)) === others + 1);
  const { code, stdout, said } = await run('host', 'nc -w 5 192.0.2.2 90 < /dev/null && echo reached');
  expect({ code, stdout }).toEqual({ code: 0, stdout: 'reached\n' });
  expect(said).not.toContain(TAKES);
  await noneIsMade(rkt);
  expect(await waiting(rkt)).toBe(others + 1);
});
