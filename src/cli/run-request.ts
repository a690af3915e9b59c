import { restartOf } from '../abi/restart.ts';
import { IPC_MODES, type IpcMode } from '../abi/stage1.ts';
import { refuseRestart } from '../stage0/life-request.ts';
import { requestedNetworks } from '../stage0/network-request.ts';
import type { PodRequest } from '../stage0/pod-request.ts';
import type { RunRequest } from '../stage0/run.ts';
import { refuseStreams } from '../stage0/stream-request.ts';
import type { StartRequest } from '../stage0/supervisor.ts';
import type { FlagValues, PodArguments } from './app-arguments.ts';
import { CliError } from './error.ts';
import { all, isSet, last, maybe } from './flag-values.ts';
import { type NameValues, namesRequest, nameValues } from './name-flags.ts';
import { refuseUselessPorts } from './port-flags.ts';
import { prepareRequest } from './prepare-request.ts';
import { type RootsValues, rootsRequest } from './roots-flags.ts';

/** What a command line of `run` asks for. Throws CliError `usage`, and what reading the named files throws. */
export function runRequest(given: PodArguments): RunRequest {
  const { flags } = given;
  const prepare = prepareRequest(given);
  const start = startRequest({ ...startValues(flags), interactive: isSet(flags, 'interactive') });
  refuseUselessPorts(flags, start);
  if (start.interactive) {
    refuseRestarts(prepare.pod);
    refuseModes(prepare.pod);
  }
  const { apps } = prepare.pod.kind === 'apps' ? prepare.pod : prepare.pod.manifest;
  if (start.interactive && apps.length !== 1)
    throw new CliError('usage', 'interactive option only supports one image');
  return { ...prepare, ...start, uuidFile: last(flags, 'uuid-file-save') };
}

function refuseRestarts(pod: PodRequest): void {
  const restarts =
    pod.kind === 'apps' ? pod.apps.map(({ restart }) => restart) : pod.manifest.apps.map(restartOf);
  restarts.forEach(refuseRestart);
}

function refuseModes(pod: PodRequest): void {
  const isGiven = pod.kind === 'apps' && pod.apps.some(({ streams }) => streams !== undefined);
  if (isGiven)
    throw new CliError('usage', 'interactive option does not go with --stdin, --stdout and --stderr');
  if (pod.kind === 'manifest') pod.manifest.apps.forEach(refuseStreams);
}

/** The values of the flags that say how a pod is started. */
export interface StartValues extends NameValues, RootsValues {
  readonly net?: readonly string[];
  readonly hostname?: string;
  readonly ipc?: string;
  readonly interactive?: boolean;
  readonly detach?: boolean;
  readonly rm?: boolean;
  readonly mdsRegister?: boolean;
  readonly strictIsolators?: boolean;
}

/** Those that a pod of any kind may have, where images with flags of their own follow. */
export function startValues(flags: FlagValues): StartValues {
  return {
    detach: isSet(flags, 'detach'),
    rm: isSet(flags, 'rm'),
    ...(flags.has('net') ? { net: all(flags, 'net') } : {}),
    mdsRegister: isSet(flags, 'mds-register'),
    strictIsolators: isSet(flags, 'strict-isolators'),
    ...nameValues(flags),
    ...maybe('hostname', last(flags, 'hostname')),
    ...maybe('ipc', last(flags, 'ipc')),
    ...maybe('rootfs', last(flags, 'rootfs')),
    ...maybe('scratchSize', last(flags, 'scratch-size')),
  };
}

/** Throws CliError `usage`, NetError `bad-request`. */
export function startRequest(values: StartValues): StartRequest {
  const {
    net = [],
    hostname,
    ipc,
    interactive = false,
    detach = false,
    rm = false,
    mdsRegister = false,
  } = values;
  const networks = requestedNetworks(net);
  if (mdsRegister && networks === 'none')
    throw new CliError(
      'usage',
      '--mds-register does not go with --net=none: apps have no way to the service',
    );
  if (interactive && detach) throw new CliError('usage', '--interactive and --detach exclude each other');
  return {
    net: networks,
    interactive,
    hostname: hostName(hostname),
    ...ipcMode(ipc),
    ...rootsRequest(values),
    ...namesRequest(values),
    ...(mdsRegister ? { registers: true } : {}),
    ...(values.strictIsolators === true ? { strictIsolators: true } : {}),
    ...(detach ? { detach } : {}),
    ...(rm ? { remover: ownCommand() } : {}),
  };
}

function ipcMode(text: string | undefined): { readonly ipc?: IpcMode } {
  if (text === undefined) return {};
  const mode = IPC_MODES.find((known) => known === text);
  if (mode === undefined)
    throw new CliError('usage', `--ipc is ${IPC_MODES.join(', ')}, not ${JSON.stringify(text)}`);
  return { ipc: mode };
}

/** This very program, as it was started. */
function ownCommand(): readonly string[] {
  return [process.execPath, ...process.execArgv, ...process.argv.slice(1, 2)];
}

// It becomes a line of the apps' /etc/hosts, and the kernel takes no more than 64 bytes.
const HOSTNAME = /^[A-Za-z0-9]([A-Za-z0-9_.-]{0,62}[A-Za-z0-9])?$/;

function hostName(text: string | undefined): string | undefined {
  if (text === undefined || HOSTNAME.test(text)) return text;
  throw new CliError('usage', `--hostname: ${JSON.stringify(text)} is no name of a host`);
}
