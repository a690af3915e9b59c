/**
 * Calling another plugin as a runtime would: the specification, section 4. It is found in CNI_PATH, and gets the same configuration and
 * the same environment but for the command.
 */
import { readToEnd } from '../src/native/contents.ts';
import { environ, utf8Decode, utf8Encode } from '../src/native/engine.ts';
import { unless } from '../src/native/errors.ts';
import { close } from '../src/native/files.ts';
import { openMemoryFile } from '../src/native/memory-files.ts';
import { access } from '../src/native/paths.ts';
import { openPipe } from '../src/native/pipes.ts';
import { waitFor } from '../src/native/processes.ts';
import { spawn } from '../src/native/spawn.ts';
import { isSameFile, stat } from '../src/native/stat.ts';
import { CNI_ERROR, CniError, parseError } from '../src/net/cni/errors.ts';
import { type CniResult, EMPTY_RESULT } from '../src/net/cni/result.ts';
import { parseResult } from '../src/net/cni/result-formats.ts';
import { dhcp } from './ipam/dhcp.ts';
import { hostLocal } from './ipam/host-local.ts';
import { static_ } from './ipam/static.ts';
import { DIES_WITH_US } from './programs.ts';
import type { Command, Plugin, PluginRequest } from './request.ts';

const SELF = '/proc/self/exe';
const STDERR = 2;
const LARGEST_ANSWER = 4 * 1024 * 1024;

/** Those of this program: when CNI_PATH leads to it, no second process is made. */
const own = new Map<string, Plugin>([
  ['dhcp', dhcp],
  ['host-local', hostLocal],
  ['static', static_],
]);

/** Asks the plugin that gives addresses; a network without one has none. */
function ipamAdd(request: PluginRequest): CniResult {
  const { ipam } = request.config;
  if (ipam === undefined) return EMPTY_RESULT;
  const found = find(ipam, request.path);
  if (found.plugin !== undefined) return found.plugin.add(request);
  return parseAnswer(found.path, execute(found.path, 'ADD', request));
}

/** The addresses of a network that has to have some. */
export function ipamAddresses(request: PluginRequest): CniResult {
  const result = ipamAdd(request);
  if (result.ips.length > 0) return result;
  ipamCommand('DEL', request);
  throw new CniError(CNI_ERROR.internal, `ipam '${request.config.ipam}' has given no address`);
}

export function ipamCommand(command: Exclude<Command, 'ADD'>, request: PluginRequest): void {
  const { ipam } = request.config;
  if (ipam === undefined) return;
  const found = find(ipam, request.path);
  if (found.plugin === undefined) execute(found.path, command, request);
  else if (command === 'DEL') found.plugin.del(request);
  else if (command === 'CHECK') found.plugin.check?.(request);
  else if (command === 'STATUS') found.plugin.status?.(request);
  else found.plugin.gc?.(request);
}

/** Takes addresses when `action` asks for them, once, and gives them back where it fails then. */
export function withAddresses<T>(
  request: PluginRequest,
  take: (request: PluginRequest) => CniResult,
  action: (take: () => CniResult) => T,
): T {
  let isTaken = false;
  try {
    return action(() => {
      const result = take(request);
      // Not before: what was refused because the container has it already is the container's.
      isTaken = true;
      return result;
    });
  } catch (error) {
    if (isTaken) giveBack(request);
    throw error;
  }
}

/**
 * DEL: the address is given back last, as nobody else may have it while the container answers to it. A server of DHCP is told by the
 * interface that has it.
 */
export function aroundRelease(request: PluginRequest, action: () => void): void {
  if (request.config.ipam === 'dhcp') ipamCommand('DEL', request);
  action();
  if (request.config.ipam !== 'dhcp') ipamCommand('DEL', request);
}

/** What is told is why the ADD has failed; that this fails as well helps nobody, and DEL comes after it. */
function giveBack(request: PluginRequest): void {
  try {
    ipamCommand('DEL', request);
  } catch {
    // See above.
  }
}

interface Found {
  readonly path: string;
  readonly plugin: Plugin | undefined;
}

function find(type: string, directories: readonly string[]): Found {
  if (type.includes('/'))
    throw new CniError(CNI_ERROR.invalidConfiguration, `'${type}' is no type of a plugin`);
  const path = directories.map((directory) => `${directory}/${type}`).find((file) => access(file, 'execute'));
  if (path === undefined) {
    const message = `plugin '${type}' is not in CNI_PATH`;
    throw new CniError(CNI_ERROR.internal, message, `looked in ${directories.join(', ')}`);
  }
  const plugin = own.get(type);
  return { path, plugin: plugin !== undefined && isSelf(path) ? plugin : undefined };
}

function isSelf(path: string): boolean {
  const self = unless(['ENOENT', 'EACCES'], () => stat(SELF));
  return self !== undefined && isSameFile(self, stat(path));
}

function execute(path: string, command: Command, { config }: PluginRequest): string {
  const env = [...environ().filter((entry) => !entry.startsWith('CNI_COMMAND=')), `CNI_COMMAND=${command}`];
  const input = openMemoryFile('configuration', utf8Encode(JSON.stringify(config.value)));
  const output = openPipe();
  const fds = [input, output.write, STDERR];
  const pid = spawn({ path, argv: [path], env, fds, steps: DIES_WITH_US });
  close(input);
  close(output.write);
  const bytes = readToEnd(output.read, LARGEST_ANSWER);
  close(output.read);
  const { exit } = waitFor(pid);
  if (bytes === undefined) throw new CniError(CNI_ERROR.internal, `'${path}' says too much`);
  const text = utf8Decode(bytes);
  if (exit.kind === 'exited' && exit.code === 0) return text;
  const how = exit.kind === 'exited' ? `exit code ${exit.code}` : `signal ${exit.signal}`;
  throw parseError(text) ?? new CniError(CNI_ERROR.internal, `'${path}' has failed: ${how}`, text.trim());
}

function parseAnswer(path: string, text: string): CniResult {
  try {
    return parseResult(JSON.parse(text), 'result');
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CniError(CNI_ERROR.undecodable, `'${path}' gives no result: ${reason}`, '', { cause });
  }
}
