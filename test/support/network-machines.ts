import { NetworkHost } from './network-host.ts';

export interface Machines {
  /** Knows no way to containers. `192.0.2.2` and `2001:db8::2`. */
  readonly outside: NetworkHost;
  /** `192.0.2.1` and `2001:db8::1`, by its interface `up0`. */
  readonly host: NetworkHost;
  readonly container: NetworkHost;
}

/** Three machines for one test. */
export async function withMachines(action: (machines: Machines) => Promise<void>): Promise<void> {
  const started = await Promise.all([NetworkHost.start(), NetworkHost.start(), NetworkHost.start()]);
  const [outside, host, container] = started;
  try {
    await joinMachines(outside, host);
    await action({ outside, host, container });
  } finally {
    await Promise.all(started.map((machine) => machine[Symbol.asyncDispose]()));
  }
}

/** A cable between the two: `up0` of the host, `eth0` of the outside. */
export async function joinMachines(outside: NetworkHost, host: NetworkHost): Promise<void> {
  await host.ip(`link add up0 type veth peer name eth0 netns ${outside.netns.split('/')[2]}`);
  await host.ip('addr add 192.0.2.1/24 dev up0', 'addr add 2001:db8::1/64 dev up0', 'link set up0 up');
  await outside.ip('addr add 192.0.2.2/24 dev eth0', 'addr add 2001:db8::2/64 dev eth0', 'link set eth0 up');
}
