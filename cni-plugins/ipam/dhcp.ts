/** `dhcp`: addresses of the network's own servers. The leases are its daemon's: a plugin ends before it could ask for more time. */
import { FieldReader } from '../../src/abi/json.ts';
import { CNI_ERROR, CniError } from '../../src/net/cni/errors.ts';
import { parseResult } from '../../src/net/cni/result-formats.ts';
import { parseList } from '../../src/net/cni/result-parts.ts';
import { badConfiguration } from '../failure.ts';
import { flag, number, text } from '../options.ts';
import type { Plugin, PluginRequest } from '../request.ts';
import { callDaemon, type DhcpCall, isServed, STANDARD_SOCKET } from './dhcp/call.ts';
import { parseDaemonArguments, runDaemon } from './dhcp/daemon.ts';
import { option } from './dhcp/message.ts';

const STANDARD_PARAMETERS = [
  option.subnetMask,
  option.routers,
  option.nameServers,
  option.domainName,
  option.staticRoutes,
  option.renewalTime,
  option.classlessRoutes,
];

/** By the names that configurations use; others are numbers. */
const NAMES: Readonly<Record<string, number>> = {
  'dhcp-client-identifier': option.clientId,
  'subnet-mask': option.subnetMask,
  routers: option.routers,
  'host-name': option.hostName,
  'user-class': option.userClass,
  'vendor-class-identifier': option.vendorClass,
};
const HIGHEST_OPTION = 254;
const HIGHEST_PRIORITY = 2 ** 32 - 1;

export const dhcp: Plugin = {
  about: "CNI dhcp plugin: addresses of the network's own servers, by 'dhcp daemon'",

  add(request) {
    const result = callDaemon(socketOf(request), callOf('ADD', request));
    if (result === undefined) throw noDaemon(request);
    return parseResult(result, 'result');
  },

  check(request) {
    if (callDaemon(socketOf(request), callOf('CHECK', request)) === undefined) throw noDaemon(request);
  },

  // With the daemon its leases have gone.
  del(request) {
    callDaemon(socketOf(request), { ...identityOf(request), command: 'DEL' });
  },

  status(request) {
    const path = socketOf(request);
    if (isServed(path)) return;
    throw new CniError(CNI_ERROR.unavailable, `no dhcp daemon listens at '${path}'`);
  },

  daemon: (args) => runDaemon(parseDaemonArguments(args)),
};

function noDaemon(request: PluginRequest): CniError {
  const message = `no dhcp daemon listens at '${socketOf(request)}': start one by 'dhcp daemon'`;
  return new CniError(CNI_ERROR.tryAgain, message);
}

function ipamOf({ config }: PluginRequest): FieldReader {
  return config.fields.object('ipam');
}

function socketOf(request: PluginRequest): string {
  const path = text(ipamOf(request), 'daemonSocketPath') ?? STANDARD_SOCKET;
  if (path.startsWith('/')) return path;
  throw badConfiguration(`daemonSocketPath '${path}' is no absolute path`);
}

function identityOf({ config, containerId, ifName, netns }: PluginRequest): Omit<DhcpCall, 'command'> {
  return {
    network: config.name,
    containerId,
    ifName,
    netns,
    parameters: [],
    provided: [],
    priority: undefined,
  };
}

function callOf(command: DhcpCall['command'], request: PluginRequest): DhcpCall {
  const ipam = ipamOf(request);
  const asked = parseList(ipam, 'request', (value, where) => {
    const fields = new FieldReader(value, where);
    return { code: codeOf(fields), skipDefault: flag(fields, 'skipDefault') };
  });
  const standard = asked.some(({ skipDefault }) => skipDefault) ? [] : STANDARD_PARAMETERS;
  return {
    ...identityOf(request),
    command,
    parameters: [...new Set([...standard, ...asked.map(({ code }) => code)])],
    provided: parseList(ipam, 'provide', (value, where) =>
      parseProvided(new FieldReader(value, where), request),
    ),
    priority: number(ipam, 'priority', 0, HIGHEST_PRIORITY),
  };
}

/** What is not in CNI_ARGS has the value that is configured. */
function parseProvided(fields: FieldReader, { args }: PluginRequest): DhcpCall['provided'][number] {
  const given = text(fields, 'fromArg');
  const value = (given === undefined ? undefined : args.get(given)) ?? text(fields, 'value');
  if (value === undefined) throw badConfiguration(`${fields.where} has no value`);
  return { code: codeOf(fields), value };
}

function codeOf(fields: FieldReader): number {
  const name = fields.text('option');
  const code = NAMES[name] ?? (/^\d{1,3}$/.test(name) ? Number(name) : 0);
  if (code >= 1 && code <= HIGHEST_OPTION) return code;
  throw badConfiguration(`${fields.where}.option '${name}' is no option of dhcp`);
}
