/** What a runtime asks a plugin for: the specification, section 2, out of environment and standard input. */

import { isCniName, type PluginConfiguration, parseConfiguration } from '../src/net/cni/configuration.ts';
import { CNI_ERROR, CniError } from '../src/net/cni/errors.ts';
import type { CniResult } from '../src/net/cni/result.ts';
import { isAtLeast } from '../src/net/cni/versions.ts';

const COMMANDS = ['ADD', 'DEL', 'CHECK', 'STATUS', 'GC'] as const;

export type Command = (typeof COMMANDS)[number];

export interface PluginRequest {
  readonly containerId: string;
  /** The path of the container's network namespace; undefined where DEL comes after its end. */
  readonly netns: string | undefined;
  /** The interface's name in there. */
  readonly ifName: string;
  /** Of CNI_ARGS. */
  readonly args: ReadonlyMap<string, string>;
  /** Directories with plugins. */
  readonly path: readonly string[];
  readonly config: PluginConfiguration;
}

/** One plugin. What it does not have is answered with success: it has nothing to do then. */
export interface Plugin {
  readonly about: string;
  add(request: PluginRequest): CniResult;
  del(request: PluginRequest): void;
  check?(request: PluginRequest): void;
  status?(request: PluginRequest): void;
  gc?(request: PluginRequest): void;
  /** `NAME daemon ...`: what has to go on between calls. Gives the exit code. */
  daemon?(args: readonly string[]): number;
}

type Variable = 'CNI_CONTAINERID' | 'CNI_NETNS' | 'CNI_IFNAME' | 'CNI_PATH';

const REQUIRED: Readonly<Record<Command, readonly Variable[]>> = {
  ADD: ['CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME', 'CNI_PATH'],
  CHECK: ['CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME', 'CNI_PATH'],
  DEL: ['CNI_CONTAINERID', 'CNI_IFNAME', 'CNI_PATH'],
  STATUS: ['CNI_PATH'],
  GC: ['CNI_PATH'],
};

/** The first version that has the command. */
const SINCE = { ADD: '0.1.0', DEL: '0.1.0', CHECK: '0.4.0', STATUS: '1.1.0', GC: '1.1.0' } as const;

export type Environment = (name: string) => string | undefined;

export function isCommand(text: string): text is Command {
  return COMMANDS.some((command) => command === text);
}

/** `input`: the configuration, as JSON.parse gives it. */
export function parseRequest(command: Command, variable: Environment, input: unknown): PluginRequest {
  const given = (name: string) => variable(name) ?? '';
  const missing = REQUIRED[command].filter((name) => given(name) === '');
  if (missing.length > 0) throw invalid(`${command} needs ${missing.join(', ')} in the environment`);
  const [containerId, ifName] = [given('CNI_CONTAINERID'), given('CNI_IFNAME')];
  if (containerId !== '' && !isCniName(containerId))
    throw invalid(`'${containerId}' is no id of a container`);
  if (ifName !== '') checkInterfaceName(ifName);
  const config = parseConfiguration(input);
  checkSince(command, config);
  const netns = given('CNI_NETNS');
  return {
    containerId,
    netns: netns === '' ? undefined : netns,
    ifName,
    args: parseArguments(given('CNI_ARGS')),
    path: given('CNI_PATH')
      .split(':')
      .filter((directory) => directory !== ''),
    config,
  };
}

function checkSince(command: Command, { cniVersion, prevResult }: PluginConfiguration): void {
  if (!isAtLeast(cniVersion, SINCE[command])) {
    const message = `config version '${cniVersion}' does not allow ${command}`;
    throw new CniError(CNI_ERROR.incompatibleVersion, message);
  }
  if (command === 'CHECK' && prevResult === undefined)
    throw new CniError(CNI_ERROR.invalidConfiguration, 'CHECK needs a prevResult');
}

const NAME_BYTES = 15;

/** As the kernel's dev_valid_name. */
export function checkInterfaceName(name: string): void {
  if (name.length > NAME_BYTES) throw invalid(`interface name '${name}' is longer than ${NAME_BYTES} bytes`);
  if (name === '.' || name === '..' || !/^[!-.0-9;-~]+$/.test(name))
    throw invalid(`'${name}' is no name of an interface`);
}

/** `K=V;K=V`. */
function parseArguments(text: string): ReadonlyMap<string, string> {
  const pairs = text.split(';').filter((pair) => pair !== '');
  return new Map(
    pairs.map((pair) => {
      const at = pair.indexOf('=');
      if (at < 1) throw invalid(`CNI_ARGS has '${pair}', which is no K=V`);
      return [pair.slice(0, at), pair.slice(at + 1)];
    }),
  );
}

function invalid(message: string): CniError {
  return new CniError(CNI_ERROR.invalidEnvironment, message);
}
