import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect } from 'vitest';
import type { PluginSet } from './cni-chain.ts';
import type { CommandOptions, RunningCommand } from './command.ts';
import { TestSupportError } from './error.ts';
import { writeFileImage } from './file-image.ts';
import type { Endpoint } from './network-agent.ts';
import { type BackgroundProgram, NetworkHost } from './network-host.ts';
import { leftOfPods } from './network-look.ts';
import { joinMachines } from './network-machines.ts';
import { peerDirectory } from './peer-program.ts';
import { eventually } from './polling.ts';
import { RktHome, savedUuid } from './rkt.ts';

/** A bridge that leads everywhere, with addresses of both families; published ports and the firewall's consent. */
export const FRONT_NETWORK = {
  name: 'front',
  plugins: [
    {
      type: 'bridge',
      bridge: 'front0',
      isDefaultGateway: true,
      ipMasq: true,
      ipam: { type: 'host-local', ranges: [[{ subnet: '10.1.0.0/24' }], [{ subnet: 'fd00:1::/64' }]] },
    },
    { type: 'portmap', capabilities: { portMappings: true } },
    { type: 'firewall', backend: 'iptables' },
  ],
};

/** Beyond the outside machine's own network, so that the host is the only way there for all that it runs. */
export const FAR = { v4: '198.51.100.2', v6: '2001:db8:1::2' } as const;

export interface Question extends Endpoint {
  readonly from?: string;
  readonly send?: number;
  readonly receive?: number;
}

/** Who can be asked to ask. */
export interface Asker {
  answers(questions: readonly Question[]): Promise<readonly string[]>;
}

/** `rkt` on a machine whose network is the test's own. */
class SiteRkt extends RktHome {
  constructor(
    readonly host: NetworkHost,
    readonly env: Readonly<Record<string, string>>,
  ) {
    super();
    mkdirSync(join(this.localConfig, 'net.d'));
  }

  override startArgv(argv: readonly string[], options: CommandOptions = {}): RunningCommand {
    return super.startArgv(this.host.enter(argv), { ...options, env: { ...this.env, ...options.env } });
  }
}

/** A pod that runs, and serves over TCP and UDP at its port 80. */
export class SitePod implements Asker {
  constructor(
    readonly rkt: RktHome,
    readonly uuid: string,
    readonly command: RunningCommand,
  ) {}

  /** What a shell in the pod prints. */
  shell(script: string): Promise<string> {
    return this.rkt.output(['enter', this.uuid, '/bin/sh', '-c', script]);
  }

  async answers(questions: readonly Question[]): Promise<readonly string[]> {
    const words = questions.map(({ protocol, address, port, from = '', send = 0, receive = 0 }) =>
      [protocol, address, port, from, send, receive].join(),
    );
    return (await this.rkt.output(['enter', this.uuid, '/files/peer', 'ask', ...words])).trim().split('\n');
  }

  /** When its app, the peer, serves. */
  async served(): Promise<this> {
    await eventually('the pod serves', () => this.command.ended || this.command.stdout.includes('serves'));
    return this;
  }

  /** Ends it as a user would; the command's exit code is the pod's. */
  async end(): Promise<number> {
    this.command.signal('SIGTERM');
    return (await this.command.finished).code;
  }
}

/** A machine that runs pods, and one that is outside of it. */
export class NetworkSite {
  readonly #pods: SitePod[] = [];
  #image: Promise<string> | undefined;

  readonly host: NetworkHost;
  readonly outside: NetworkHost;

  private constructor(
    readonly rkt: RktHome,
    machines: { readonly host: NetworkHost; readonly outside: NetworkHost },
    private readonly servers: readonly BackgroundProgram[],
  ) {
    this.host = machines.host;
    this.outside = machines.outside;
  }

  /**
   * Both machines serve over TCP and UDP at their port 90. Without directories of plugins, as CNI_PATH has them: with those that rkt
   * finds by itself.
   */
  static async start(plugins?: { readonly directory: string }): Promise<NetworkSite> {
    const [host, outside] = await Promise.all([NetworkHost.start(), NetworkHost.start()]);
    await joinMachines(outside, host);
    await outside.ip(`addr add ${FAR.v4}/32 dev lo`, `addr add ${FAR.v6}/128 dev lo`);
    await host.ip(`route add ${FAR.v4} via 192.0.2.2`, `route add ${FAR.v6} via 2001:db8::2`);
    const peer = join(await peerDirectory(), 'peer');
    const servers = [host, outside].map((machine) => machine.start(peer, 'serve', '90'));
    await eventually('the machines serve', () => servers.every(({ output }) => output.includes('serves')));
    const env = plugins === undefined ? {} : { CNI_PATH: plugins.directory };
    return new NetworkSite(new SiteRkt(host, env), { host, outside }, servers);
  }

  /** Writes the configuration of a network; those of several plugins are lists. */
  network(file: string, configuration: object): void {
    writeFileSync(join(this.rkt.localConfig, 'net.d', file), JSON.stringify(configuration));
  }

  /** An image whose app serves over TCP and UDP at its port 80, which it calls `www`. */
  peerImage(): Promise<string> {
    this.#image ??= peerDirectory().then((files) =>
      writeFileImage(this.rkt.path('peer.aci'), {
        name: 'example.com/peer',
        exec: ['/files/peer', 'serve', '80'],
        files,
        ports: [{ name: 'www', protocol: 'tcp', port: 80 }],
      }),
    );
    return this.#image;
  }

  /** A pod that serves at its port 80, as soon as it does. */
  async pod(...flags: readonly string[]): Promise<SitePod> {
    return (await this.run(...flags, await this.peerImage())).served();
  }

  /** `rkt run ARGS`, whose apps have all been started, and which ends with the site unless it is ended before. */
  run(...args: readonly string[]): Promise<SitePod> {
    return this.#start(args, {});
  }

  /** As `run`, by other plugins than the site's. */
  runBy({ directory }: { readonly directory: string }, ...args: readonly string[]): Promise<SitePod> {
    return this.#start(args, { CNI_PATH: directory });
  }

  async #start(args: readonly string[], env: Readonly<Record<string, string>>): Promise<SitePod> {
    const file = this.rkt.path(`uuid-${this.#pods.length}-${process.hrtime.bigint()}`);
    const command = this.rkt.start(['run', `--uuid-file-save=${file}`, ...args], {
      env,
      timeoutSeconds: 600,
    });
    const uuid = await eventually('the pod has a UUID', () => {
      if (command.ended) throw new TestSupportError('BAD_OUTPUT', `rkt run ended: ${command.stderr}`);
      return savedUuid(file);
    });
    const pod = new SitePod(this.rkt, uuid, command);
    this.#pods.push(pod);
    const { code, stderr } = await this.rkt.run(['status', '--wait-ready', uuid], { timeoutSeconds: 300 });
    if (code === 0 && !command.ended) return pod;
    throw new TestSupportError('BAD_OUTPUT', `the pod is not ready: ${stderr}${command.stderr}`);
  }

  /** Ends the pods. Nothing of any network may be left of them before `gc` has come, nor after. */
  async close(): Promise<void> {
    const uuids = this.#pods.map(({ uuid }) => uuid);
    try {
      await Promise.all(this.#pods.map((pod) => pod.end()));
      expect(await leftOfPods(this.host, uuids)).toEqual([]);
      await this.rkt.close();
      expect(await leftOfPods(this.host, uuids)).toEqual([]);
    } finally {
      await Promise.all(this.servers.map((server) => server[Symbol.asyncDispose]()));
      await Promise.all([this.host, this.outside].map((machine) => machine[Symbol.asyncDispose]()));
    }
  }
}

/** One site for the tests of a file or a group, as far as it has started when they run. */
export function useSite(plugins?: PluginSet): { readonly now: NetworkSite } {
  let site: NetworkSite | undefined;
  beforeAll(async () => {
    site = await NetworkSite.start(plugins);
  });
  afterAll(async () => await site?.close());
  return {
    get now() {
      if (site === undefined) throw new TestSupportError('FIXTURE_FAILED', 'the site has not started');
      return site;
    },
  };
}

const SHELL_PLUGIN = fileURLToPath(new URL('./shell-plugin/cable', import.meta.url));

/** Puts the plugin `cable` where rkt finds what an administrator brings. */
export function installShellPlugin({ rkt }: NetworkSite): void {
  copyFileSync(SHELL_PLUGIN, join(rkt.localConfig, 'net.d', 'cable'));
}

/** The outside, or the host, as somebody who asks. */
export function machineAsker(machine: NetworkHost): Asker {
  return {
    answers: (questions) =>
      Promise.all(questions.map((question) => machine.ask({ do: 'ask', ...question, briefly: true }))),
  };
}

/** `tcp 10.1.2.3 80`, and with `from 10.1.2.4` asked from there. */
export function question(text: string): Question {
  const [protocol, address = '', port = '', , from] = text.split(' ');
  const endpoint = { protocol: protocol === 'udp' ? 'udp' : 'tcp', address, port: Number(port) } as const;
  return from === undefined ? endpoint : { ...endpoint, from };
}

/** What answers, by question: a machine that is emulated may be slow, so that silence is asked again where it is not expected. */
export async function expectAnswers(asker: Asker, expected: Readonly<Record<string, string>>): Promise<void> {
  const heard: Record<string, string> = {};
  await eventually('no silence', async () => {
    const open = Object.keys(expected).filter((key) => heard[key] === undefined || heard[key] === 'silence');
    const answers = await asker.answers(open.map(question));
    open.forEach((key, index) => {
      heard[key] = answers[index] ?? '';
    });
    return open.every((key) => heard[key] !== 'silence' || expected[key] === 'silence');
  }).catch(() => {});
  expect(heard).toEqual(expected);
}
