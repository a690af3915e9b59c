/** The CNI plugins, one program: the name that it is called by says which. */

import { readToEnd } from '../src/native/contents.ts';
import { argv, environment, exit, utf8Decode, utf8Encode } from '../src/native/engine.ts';
import { writeAll } from '../src/native/files.ts';
import { versionOf } from '../src/net/cni/configuration.ts';
import { CNI_ERROR, CniError, formatError } from '../src/net/cni/errors.ts';
import { formatResult } from '../src/net/cni/result-formats.ts';
import { CNI_VERSIONS, NEWEST_VERSION } from '../src/net/cni/versions.ts';
import { asCniError } from './failure.ts';
import { PLUGIN_NAMES } from './names.ts';
import { plugins } from './plugins.ts';
import { type Command, isCommand, type Plugin, type PluginRequest, parseRequest } from './request.ts';

const [STDIN, STDOUT, STDERR] = [0, 1, 2];
const FAILED = 1;
const USAGE = 2;
const LARGEST_CONFIGURATION = 4 * 1024 * 1024;

function main(): void {
  const called = (argv()[0] ?? '').replace(/^.*\//, '');
  const name = PLUGIN_NAMES.find((known) => known === called);
  if (name === undefined) {
    say(STDERR, `no plugin has the name '${called}': call this program as ${PLUGIN_NAMES.join(', ')}`);
    exit(USAGE);
  }
  const plugin = plugins[name];
  const [, first, ...args] = argv();
  if (first === 'daemon' && plugin.daemon !== undefined) exit(runDaemon(plugin.daemon, args));
  const command = environment('CNI_COMMAND') ?? '';
  if (command === '') describe(plugin);
  else answer(plugin, command);
}

/** Somebody runs it by hand. */
function describe(plugin: Plugin): void {
  say(STDERR, `${plugin.about}\nCNI protocol versions supported: ${CNI_VERSIONS.join(', ')}`);
}

function runDaemon(daemon: (args: readonly string[]) => number, args: readonly string[]): number {
  try {
    return daemon(args);
  } catch (error) {
    say(STDERR, asCniError(error).message);
    return FAILED;
  }
}

function answer(plugin: Plugin, command: string): void {
  let version: string | undefined;
  try {
    const input = parseInput(command);
    version = versionOf(input);
    if (command === 'VERSION') sayVersions(version);
    else if (isCommand(command)) run(plugin, command, input);
    else throw new CniError(CNI_ERROR.invalidEnvironment, `unknown CNI_COMMAND '${command}'`);
  } catch (error) {
    say(STDOUT, formatError(asCniError(error), version));
    exit(FAILED);
  }
}

function parseInput(command: string): unknown {
  const bytes = readToEnd(STDIN, LARGEST_CONFIGURATION);
  if (bytes === undefined) {
    const message = `the configuration is larger than ${LARGEST_CONFIGURATION} bytes`;
    throw new CniError(CNI_ERROR.undecodable, message);
  }
  // VERSION may come without a configuration.
  if (bytes.length === 0 && command === 'VERSION') return {};
  try {
    return JSON.parse(utf8Decode(bytes));
  } catch (cause) {
    throw new CniError(CNI_ERROR.undecodable, 'the configuration is no JSON', String(cause), { cause });
  }
}

function sayVersions(cniVersion: string = NEWEST_VERSION): void {
  say(STDOUT, JSON.stringify({ cniVersion, supportedVersions: CNI_VERSIONS }));
}

const actions: Readonly<Record<Command, (plugin: Plugin, request: PluginRequest) => void>> = {
  ADD: (plugin, request) => say(STDOUT, formatResult(plugin.add(request), request.config.cniVersion)),
  DEL: (plugin, request) => plugin.del(request),
  CHECK: (plugin, request) => plugin.check?.(request),
  STATUS: (plugin, request) => plugin.status?.(request),
  GC: (plugin, request) => plugin.gc?.(request),
};

function run(plugin: Plugin, command: Command, input: unknown): void {
  actions[command](plugin, parseRequest(command, environment, input));
}

function say(fd: number, text: string): void {
  writeAll(fd, utf8Encode(`${text}\n`));
}

main();
