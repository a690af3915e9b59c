import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { POD } from '../../../src/abi/pod-directory.ts';
import { parseTimeline } from '../../../src/abi/timeline.ts';
import { CniChain, type PluginSet } from '../cni-chain.ts';
import type { RunningCommand } from '../command.ts';
import { tinyImages } from '../images.ts';
import { liveLeftovers, podDirectories } from '../leaks.ts';
import { NetworkHost } from '../network-host.ts';
import { NetworkSite } from '../network-site.ts';
import { eventually } from '../polling.ts';
import type { RktHome } from '../rkt.ts';
import { marksOn } from './marks.ts';
import {
  BRIDGED,
  BYSTANDER,
  CABLE,
  NETWORK_FILES,
  PLUGIN_TYPES,
  PORT,
  writeBrokenPlugin,
} from './networks.ts';
import { Trap } from './trap.ts';

const PROGRAMS = ['iptables', 'ip6tables', 'nft'];

/** The reference plugins wait for a pod's IPv6 addresses, a second or two for each interface. All pods begin with a `ptp`. */
const WITHOUT_WAIT: Readonly<Record<string, string>> = {
  ptp: `if [ "$CNI_COMMAND" = ADD ]; then
  nsenter --net="$CNI_NETNS" sh -c 'for which in all default; do echo 0 > /proc/sys/net/ipv6/conf/$which/accept_dad; done'
fi`,
};

/** A container that is nobody's pod, on the networks of pods. */
class Bystander {
  private constructor(
    private readonly container: NetworkHost,
    private readonly chains: readonly CniChain[],
  ) {}

  static async start(host: NetworkHost, directory: string): Promise<Bystander> {
    const container = await NetworkHost.start();
    const chains = BYSTANDER.map(
      ({ name, plugins }, index) =>
        new CniChain(host, container, directory, plugins, { ifName: `eth${index}` }, name),
    );
    for (const chain of chains) await chain.add();
    return new Bystander(container, chains);
  }

  async close(): Promise<void> {
    for (const chain of this.chains) await chain.del();
    await this.container[Symbol.asyncDispose]();
  }
}

/** A machine for crashes: plugins that can be stopped at their system calls, and a container of somebody else on the same networks. */
export class CrashSite {
  /** What there is without any pod. */
  before: readonly string[] = [];

  private constructor(
    readonly trap: Trap,
    private readonly image: string,
    private readonly network: NetworkSite,
    private readonly bystander: Bystander,
  ) {}

  static async start(plugins: PluginSet): Promise<CrashSite> {
    const trap = new Trap(mkdtempSync(join(tmpdir(), 'rkt-trap-')));
    for (const type of PLUGIN_TYPES[plugins.of])
      trap.stand({
        place: `plugins/${type}`,
        program: join(plugins.directory, type),
        first: WITHOUT_WAIT[type] ?? '',
      });
    for (const name of PROGRAMS) trap.stand({ place: `programs/${name}`, program: `/usr/sbin/${name}` });
    writeBrokenPlugin(trap.path('plugins'));
    // What is delegated to is found behind it, where it has no script.
    const network = await NetworkSite.start({ directory: `${trap.path('plugins')}:${plugins.directory}` });
    const { rkt, host } = network;
    for (const [file, configuration] of Object.entries(NETWORK_FILES)) network.network(file, configuration);
    const bystander = await Bystander.start(host, plugins.directory);
    const image = (await tinyImages()).aci.plain;
    await rkt.output(['fetch', image]);
    const site = new CrashSite(trap, image, network, bystander);
    site.before = await site.marks();
    return site;
  }

  get rkt(): RktHome {
    return this.network.rkt;
  }

  marks(): Promise<readonly string[]> {
    return marksOn(this.network.host);
  }

  /** The command of a pod whose app does nothing. */
  runArgv(networks: readonly string[]): string[] {
    return this.rkt.argv(['run', `--net=${networks}`, PORT, this.image, '--exec=/bin/true']);
  }

  /** A pod whose supervisor was killed when its networks were there. */
  async leavePod(): Promise<void> {
    const command = this.rkt.startArgv(this.runArgv([CABLE, BRIDGED]));
    await eventually('the pod has its networks', () => {
      if (command.ended) throw new Error(`the pod has ended: ${command.stderr}`);
      return this.#timelines().some((marks) => marks.some(({ name }) => name === 'network'));
    });
    command.signal('SIGKILL');
    await command.finished;
  }

  /** A command that collects pods, as soon as it has come to where it waits for those who still make something of their networks. */
  async startCollector(args: readonly string[]): Promise<RunningCommand> {
    const old = new Set(this.rkt.scope.processes().map(({ pid }) => pid));
    const command = this.rkt.start(args);
    // Nothing may be left that it waits for.
    await eventually('the collector waits, or has ended', () => {
      const others = this.rkt.scope.processes().filter(({ pid }) => !old.has(pid));
      return command.ended || others.some(({ pid }) => hasOpen(pid, `/${POD.networkLock}`));
    });
    return command;
  }

  /** From now on the stage1's `gc` is in the trap as well; it is for pods that have been made, in their layers. */
  async trapCollector(): Promise<void> {
    const layers = join(this.rkt.dir, 'cas/layer');
    const [program = ''] = readdirSync(layers)
      .map((name) => join(layers, name, 'rootfs/stage1-kvm'))
      .filter((path) => existsSync(path));
    mkdirSync(this.trap.path('stage1'));
    const copy = this.trap.path('stage1/gc');
    copyFileSync(program, copy);
    const script = this.trap.stand({ place: 'entrypoints/gc', program: copy, alone: true });
    await this.network.host.run('mount', '--bind', script, program);
  }

  /** Processes and mounts of pods, and their directories, as soon as the kernel is done with them. */
  async leftAlive(): Promise<string[]> {
    const left = () => [...liveLeftovers(this.rkt.scope, this.rkt.dir), ...podDirectories(this.rkt.dir)];
    await eventually('nothing left', () => left().length === 0).catch(() => {});
    return left();
  }

  async close(): Promise<void> {
    try {
      await this.bystander.close();
      await this.network.close();
    } finally {
      rmSync(this.trap.path('.'), { recursive: true, force: true });
    }
  }

  #timelines() {
    return podDirectories(this.rkt.dir)
      .map((path) => join(path, POD.timeline))
      .filter((path) => existsSync(path))
      .map((path) => parseTimeline(readFileSync(path, 'utf8')));
  }
}

function hasOpen(pid: number, end: string): boolean {
  try {
    const links = readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
    return links.some((link) => link.endsWith(end));
  } catch {
    return false;
  }
}
