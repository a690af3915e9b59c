import { describe, expect, it } from 'vitest';
import {
  describe as describeForward,
  type Forward,
  type HostNetworkFacts,
  hasUserNetworking,
  planHostNetwork,
  wantedForwards,
} from '../../../stage1-kvm/host-network.ts';

const facts: HostNetworkFacts = {
  occupied: [{ address: '192.0.2.0', length: 24 }],
  ipv6: false,
  dns: { nameservers: ['192.0.2.53'], search: ['example.com'], options: ['ndots:2'] },
  unprivilegedPorts: 1024,
  busy: [],
};

const port = (number: number, protocol = 'tcp', count = 1) => ({ protocol, port: number, count });
const forward = (number: number, protocol: Forward['protocol'] = 'tcp'): Forward => ({
  protocol,
  port: number,
  app: 'web',
});
const netdev = ({ qemuArguments }: { readonly qemuArguments: readonly string[] }) =>
  (qemuArguments[1] ?? '').split(',');

describe('hasUserNetworking', () => {
  it.each([
    ['Available netdev backend types: socket tap user vhost-user', true],
    ['Available netdev backend types: socket tap vhost-user', false],
  ])('%s', (said, has) => {
    expect(hasUserNetworking(said)).toBe(has);
  });
});

describe('wantedForwards', () => {
  it('has each port once, of tcp and udp alone', () => {
    const apps = [
      { name: 'web', app: { ports: [port(80), port(53, 'udp'), port(9, 'sctp')] } },
      { name: 'dns', app: { ports: [port(53, 'udp'), port(53), port(8000, 'tcp', 3)] } },
    ];
    expect(wantedForwards(apps).map(describeForward)).toEqual([
      'port 80/tcp of app web',
      'port 53/udp of app web',
      'port 53/tcp of app dns',
      'port 8000/tcp of app dns',
      'port 8001/tcp of app dns',
      'port 8002/tcp of app dns',
    ]);
  });

  it('does not count to the end of what an image claims', () => {
    const wanted = wantedForwards([{ name: 'web', app: { ports: [port(1, 'tcp', 65535)] } }]);
    expect(wanted).toHaveLength(65);
    const { forwards, remarks } = planHostNetwork(wanted, { ...facts, unprivilegedPorts: 0 });
    expect(forwards).toHaveLength(64);
    expect(remarks).toEqual(["only the first 64 ports of the apps are the host's"]);
  });
});

describe('planHostNetwork', () => {
  it('puts the guest into a network of its own, with a way out', () => {
    const network = planHostNetwork([], facts);
    expect(netdev(network)).toEqual([
      'user',
      'id=host',
      'ipv4=on',
      'net=10.0.2.0/24',
      'host=10.0.2.2',
      'dns=10.0.2.3',
      'ipv6=off',
    ]);
    const [, , option, device] = network.qemuArguments;
    const { interfaces, routes } = network.plan;
    expect([option, device]).toEqual([
      '-device',
      `virtio-net-pci,netdev=host,mac=${interfaces[0]?.mac},romfile=`,
    ]);
    expect(
      interfaces.map(({ name, addresses }) => [name, ...addresses.map(({ address }) => address)]),
    ).toEqual([['eth0', '10.0.2.15/24']]);
    expect(routes.map(({ destination, hops }) => [destination, hops[0]?.gateway])).toEqual([
      ['10.0.2.0/24', null],
      ['0.0.0.0/0', '10.0.2.2'],
    ]);
  });

  it('has IPv6 where the host has it', () => {
    const network = planHostNetwork([], { ...facts, ipv6: true });
    expect(netdev(network).slice(6)).toEqual([
      'ipv6=on',
      'ipv6-net=fd72:6b74::/64',
      'ipv6-host=fd72:6b74::2',
      'ipv6-dns=fd72:6b74::3',
    ]);
    expect(network.plan.interfaces[0]?.addresses.map(({ address }) => address)).toEqual([
      '10.0.2.15/24',
      'fd72:6b74::15/64',
    ]);
    expect(network.plan.routes.map(({ destination, hops }) => [destination, hops[0]?.gateway])).toEqual([
      ['10.0.2.0/24', null],
      ['0.0.0.0/0', '10.0.2.2'],
      ['fd72:6b74::/64', null],
      ['::/0', 'fd72:6b74::2'],
    ]);
  });

  it.each([
    ['a network around it', '10.0.0.0', 8, '172.31.254'],
    ['an address in it', '10.0.2.77', 32, '172.31.254'],
    ['its neighbour', '10.0.3.0', 24, '10.0.2'],
  ])('hides nothing of the host: %s', (_, address, length, subnet) => {
    const network = planHostNetwork([], { ...facts, occupied: [{ address, length }] });
    expect(netdev(network)).toContain(`net=${subnet}.0/24`);
  });

  it('says so when the host leaves no network', () => {
    const occupied = ['10.0.0.0', '172.16.0.0', '192.168.0.0', '198.18.0.0'].map((address) => ({
      address,
      length: 8,
    }));
    expect(() => planHostNetwork([], { ...facts, occupied })).toThrow(
      /host uses all networks.*10\.0\.2\.0\/24/,
    );
  });

  it('forwards what is free, and says what is not', () => {
    const wanted = [forward(80), forward(8080), forward(8080, 'udp'), forward(9090)];
    const network = planHostNetwork(wanted, { ...facts, busy: [forward(9090)] });
    expect(netdev(network).filter((option) => option.startsWith('hostfwd'))).toEqual([
      'hostfwd=tcp::8080-10.0.2.15:8080',
      'hostfwd=udp::8080-10.0.2.15:8080',
    ]);
    expect(network.forwards).toEqual([forward(8080), forward(8080, 'udp')]);
    expect(network.remarks).toEqual([
      "port 80/tcp of app web is not the host's: the machine may not listen below 1024 (net.ipv4.ip_unprivileged_port_start)",
      "port 9090/tcp of app web is not the host's: another program or pod of the host has it",
    ]);
  });

  it("asks the host's name servers itself, and by way of QEMU those that only the host reaches", () => {
    const nameservers = ['127.0.0.53', '192.0.2.53', 'fe80::1%eth0', '127.0.0.54', '2001:db8::53'];
    const v4 = planHostNetwork([], { ...facts, dns: { ...facts.dns, nameservers } });
    expect(v4.dns).toEqual({
      nameservers: ['10.0.2.3', '192.0.2.53'],
      search: ['example.com'],
      options: ['ndots:2'],
    });
    expect(v4.resolvConf).toBe('nameserver 127.0.0.53\nnameserver 127.0.0.54\n');
    const both = planHostNetwork([], { ...facts, ipv6: true, dns: { nameservers } });
    expect(both.dns).toEqual({
      nameservers: ['10.0.2.3', '192.0.2.53', 'fd72:6b74::3', '2001:db8::53'],
    });
    expect(both.resolvConf).toContain('nameserver fe80::1%eth0\n');
  });
});
