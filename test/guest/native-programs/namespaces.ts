import { writeFile } from '../../../src/native/contents.ts';
import { readdir } from '../../../src/native/directories.ts';
import { argv, exit } from '../../../src/native/engine.ts';
import { close, open, open_ } from '../../../src/native/files.ts';
import { mountTable } from '../../../src/native/mount-table.ts';
import {
  attachMount,
  cloneMount,
  mount,
  ms,
  pivotRoot,
  setNamespace,
  unmount,
  unshare,
} from '../../../src/native/mounts.ts';
import { addAddress, listAddresses } from '../../../src/native/netlink/addresses.ts';
import { AF_INET, AF_INET6 } from '../../../src/native/netlink/ip.ts';
import {
  changeLink,
  createLink,
  deleteLink,
  findLink,
  type Link,
  listLinks,
} from '../../../src/native/netlink/links.ts';
import { addRoute, deleteRoute, listRoutes } from '../../../src/native/netlink/routes.ts';
import { Netlink } from '../../../src/native/netlink/socket.ts';
import { joinLinks } from '../../../src/native/netlink/traffic.ts';
import { mkdir, mkdirAll } from '../../../src/native/paths.ts';
import { chdir, fork, waitFor } from '../../../src/native/processes.ts';
import { stat } from '../../../src/native/stat.ts';
import { setHostname } from '../../../src/native/system.ts';
import { openTap } from '../../../src/native/taps.ts';
import { refusal, report, run } from './report.ts';

const scratch = argv()[1] ?? '/nonexistent';
const ip = (...args: string[]) => run('/sbin/ip', args, { env: ['PATH=/sbin'] }).output;
const tc = (...args: string[]) => run('/sbin/tc', args, { env: ['PATH=/sbin'] }).output;

function mounts(): unknown {
  mount({ target: '/', flags: ms.recursive | ms.private });
  mount({ source: 'tmpfs', target: scratch, type: 'tmpfs', flags: ms.noSuid, data: 'mode=0750,size=1m' });
  mkdirAll(`${scratch}/tree/sub/inner`);
  writeFile(`${scratch}/tree/sub/file`, 'x');
  mount({ source: `${scratch}/tree/sub`, target: `${scratch}/tree/sub/inner`, flags: ms.bind });
  const found = mountTable().filter((entry) => entry.target.startsWith(scratch));
  const differ = stat(`${scratch}/tree/sub`).mountId !== stat(`${scratch}/tree/sub/inner`).mountId;
  unmount(`${scratch}/tree/sub/inner`, 'detach');
  const missing = refusal(() => unmount(`${scratch}/tree/sub/inner`));
  return {
    found: found.map(({ target, root, type }) => [target.slice(scratch.length), root, type]),
    mode: stat(scratch).permissions,
    differ,
    missing,
    wrong: refusal(() => mount({ source: '/nowhere', target: scratch, flags: ms.bind })),
  };
}

/** A detached copy of a mount goes where it is attached; then a small tree becomes the root. */
function roots(): unknown {
  mkdirAll(`${scratch}/root/old`);
  mkdir(`${scratch}/root/copied`);
  mount({ source: `${scratch}/root`, target: `${scratch}/root`, flags: ms.bind });
  const copy = cloneMount('/usr/share', true);
  attachMount(copy, `${scratch}/root/copied`);
  close(copy);
  writeFile(`${scratch}/root/file`, 'in the new root', 0o600);
  chdir(`${scratch}/root`);
  pivotRoot('.', 'old');
  chdir('/');
  unmount('/old', 'detach');
  return { names: readdir('/').sort(), copied: readdir('/copied').length > 0 };
}

const byName = (links: readonly Link[], name: string) =>
  links.find((link) => link.name === name)?.index ?? -1;

function network(): unknown {
  using netlink = new Netlink();
  const before = listLinks(netlink)
    .filter((link) => link.kind === undefined)
    .map(({ name, up }) => ({ name, up }));
  changeLink(netlink, 1, { up: true });
  createLink(
    netlink,
    { kind: 'veth', name: 'eth0', peer: { name: 'peer' } },
    { mac: '02:00:00:00:00:01', mtu: 1400 },
  );
  createLink(netlink, { kind: 'bridge', name: 'br0' });
  const [tap = -1] = openTap('tap0', 1);
  const links = listLinks(netlink);
  const [eth0, peer, br0, tap0] = ['eth0', 'peer', 'br0', 'tap0'].map((name) => byName(links, name));
  if (eth0 === undefined || peer === undefined || br0 === undefined || tap0 === undefined) exit(3);
  changeLink(netlink, peer, { master: br0, up: true });
  changeLink(netlink, br0, { up: true });
  changeLink(netlink, eth0, { up: true });
  changeLink(netlink, tap0, { up: true });
  addAddress(netlink, { link: eth0, address: '10.1.2.3', length: 24, broadcast: '10.1.2.255' });
  addAddress(netlink, { link: eth0, address: 'fd00::3', length: 64 });
  addRoute(netlink, { family: AF_INET, destination: undefined, gateway: '10.1.2.1', mtu: 1300 });
  addRoute(netlink, {
    family: AF_INET,
    destination: { address: '10.9.0.0', length: 16 },
    link: eth0,
    table: 1000,
    priority: 5,
  });
  addRoute(netlink, { family: AF_INET6, destination: undefined, gateway: 'fd00::1', link: eth0 });
  addRoute(netlink, {
    family: AF_INET,
    destination: { address: '10.66.0.0', length: 16 },
    type: 'blackhole',
    scope: 0,
  });
  joinLinks(netlink, eth0, tap0);
  const routes = listRoutes(netlink).filter((route) => route.protocol === 4);
  const result = {
    before,
    eth0: findLink(netlink, 'eth0'),
    bridged: findLink(netlink, 'peer')?.master === br0,
    addresses: listAddresses(netlink)
      .filter((address) => address.link === eth0 && address.scope === 0)
      .map(({ address, length, broadcast }) => [address, length, broadcast ?? null]),
    routes: routes.map(({ destination, gateway, table, type, mtu, priority }) => ({
      to: destination === undefined ? 'default' : `${destination.address}/${destination.length}`,
      gateway,
      table,
      type,
      mtu,
      priority,
    })),
    shown: {
      address: /inet 10\.1\.2\.3\/24 brd 10\.1\.2\.255[\s\S]*inet6 fd00::3\/64/.test(
        ip('addr', 'show', 'eth0'),
      ),
      route: ip('route', 'show', 'default').trim(),
      table: ip('route', 'show', 'table', '1000').trim(),
      filter: tc('filter', 'show', 'dev', 'eth0', 'parent', 'ffff:').replace(/\s+/g, ' '),
      back: tc('filter', 'show', 'dev', 'tap0', 'parent', 'ffff:').includes('Egress Redirect to device eth0'),
    },
    twice: refusal(() => addAddress(netlink, { link: eth0, address: '10.1.2.3', length: 24 })),
    unreachable: refusal(() =>
      addRoute(netlink, { family: AF_INET, destination: undefined, gateway: '203.0.113.1' }),
    ),
  };
  deleteRoute(netlink, { family: AF_INET, destination: undefined, gateway: '10.1.2.1' });
  changeLink(netlink, eth0, { up: false });
  changeLink(netlink, eth0, { name: 'lan0' });
  const renamed = findLink(netlink, 'lan0')?.index === eth0;
  deleteLink(netlink, eth0);
  close(tap);
  return {
    ...result,
    renamed,
    left: listLinks(netlink).filter((l) => ['lan0', 'peer', 'tap0'].includes(l.name)).length,
  };
}

/** Another process's namespace, entered and left again. */
function visits(): unknown {
  const home = open('/proc/self/ns/net', open_.readOnly);
  unshare('network');
  const away = (() => {
    using netlink = new Netlink();
    createLink(netlink, { kind: 'bridge', name: 'away0' });
    return findLink(netlink, 'away0') !== undefined;
  })();
  setNamespace(home, 'network');
  using netlink = new Netlink();
  return { away, home: findLink(netlink, 'away0') === undefined };
}

/** The first process of a new pid namespace is number 1 there. */
function firstProcess(): number {
  const pid = fork('pid');
  if (pid === 0) exit(run('/bin/sh', ['-c', 'exit $PPID']).code);
  const { exit: ended } = waitFor(pid);
  return ended.kind === 'exited' ? ended.code : -1;
}

unshare('mount', 'network', 'uts');
setHostname('inside');
const result = {
  hostname: run('/bin/uname', ['-n']).output.trim(),
  firstProcess: firstProcess(),
  network: network(),
  visits: visits(),
  mounts: mounts(),
  roots: roots(),
};
report(result);
