import { join } from 'node:path';
import { artefacts } from '../../tools/paths.ts';
import type { NetworkHost, Output } from './network-host.ts';

/** Whose plugins a test is for: the same has to be true of both. */
export const PLUGIN_SETS = [
  { of: 'rkt', directory: artefacts.cniDirectory },
  { of: "Debian's containernetworking-plugins", directory: '/usr/lib/cni' },
] as const;

export type PluginSet = (typeof PLUGIN_SETS)[number];

export interface PluginConfig {
  readonly type: string;
  readonly [key: string]: unknown;
}

export interface ChainResult {
  readonly interfaces?: readonly {
    readonly name: string;
    readonly mac?: string;
    readonly sandbox?: string;
  }[];
  readonly ips?: readonly { readonly address: string }[];
}

interface Call {
  readonly containerId?: string;
  readonly ifName?: string;
  readonly args?: string;
}

export class PluginFailure extends Error {
  override readonly name = 'PluginFailure';
}

/** A network of several plugins, called as a runtime would, on a host for a container. */
export class CniChain {
  #result: ChainResult | undefined;

  constructor(
    readonly host: NetworkHost,
    readonly container: NetworkHost,
    readonly directory: string,
    readonly plugins: readonly PluginConfig[],
    readonly call: Call = {},
    readonly network = 'tested',
  ) {}

  async add(): Promise<ChainResult> {
    let result: ChainResult = {};
    for (const plugin of this.plugins) {
      result = JSON.parse(await this.#must('ADD', plugin, result)) as ChainResult;
      this.#result = result;
    }
    return result;
  }

  async check(): Promise<void> {
    for (const plugin of this.plugins) await this.#must('CHECK', plugin, this.#result ?? {});
  }

  async del(): Promise<void> {
    for (const plugin of this.plugins.toReversed()) await this.#must('DEL', plugin, this.#result ?? {});
  }

  async status(): Promise<void> {
    for (const plugin of this.plugins) await this.#must('STATUS', plugin, {});
  }

  /** GC of one of the plugins, with what the runtime knows to be there. */
  async collect(type: string, valid: readonly { containerID: string; ifname: string }[]): Promise<void> {
    const more = { cniVersion: '1.1.0', 'cni.dev/valid-attachments': valid };
    for (const plugin of this.plugins.filter((one) => one.type === type))
      await this.#must('GC', { ...plugin, ...more }, {});
  }

  /** What the plugin says that an action fails with. */
  async refusal(action: () => Promise<unknown>): Promise<string> {
    try {
      await action();
    } catch (error) {
      if (error instanceof PluginFailure) return error.message;
      throw error;
    }
    return 'none';
  }

  async #must(command: string, plugin: PluginConfig, prevResult: ChainResult): Promise<string> {
    const { stdout, exitCode } = await this.#run(command, plugin, prevResult);
    if (exitCode === 0) return stdout;
    throw new PluginFailure(`${plugin.type} ${command}: ${stdout}`);
  }

  #run(command: string, plugin: PluginConfig, prevResult: ChainResult): Promise<Output> {
    const previous = Object.keys(prevResult).length === 0 ? {} : { prevResult };
    const config = { cniVersion: '1.0.0', name: this.network, ...plugin, ...previous };
    const { containerId = 'container1', ifName = 'eth0', args = '' } = this.call;
    return this.host.try([join(this.directory, plugin.type)], JSON.stringify(config), {
      CNI_COMMAND: command,
      CNI_CONTAINERID: containerId,
      CNI_NETNS: this.container.netns,
      CNI_IFNAME: ifName,
      CNI_PATH: this.directory,
      CNI_ARGS: args,
    });
  }
}
