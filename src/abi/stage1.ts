/**
 * The boundary stage0 | stage1: what a stage1 image's entrypoints are called and started with (rkt's stage1 interface,
 * version 6). The current directory of every entrypoint is the pod's directory.
 */
import { formatIdRange, type IdRange, parseIdRange } from './id-range.ts';
import { AbiError } from './json.ts';
import { DEFAULT_NAME_MODES, formatNameModes, type NameModes, parseNameModes } from './name-modes.ts';
import { Arguments, type FlagTable, flag } from './stage1-flags.ts';

export const STAGE1_INTERFACE_VERSION = 6;

/** The fd of the locked pod directory: it must stay open as long as the pod lives. */
export const LOCK_FD_ENV = 'RKT_LOCK_FD';

/** `true`: nobody is behind the standard streams, and stderr is a file that is to stay small. */
export const DETACHED_ENV = 'RKT_DETACHED';

/** Uids and gids for the VMMs of this host's pods: `FIRST:COUNT`, from the configuration. */
export const VM_IDS_ENV = 'RKT_HYPERVISOR_IDS';

/** What an entrypoint for an app of a mutable pod may need to get into the pod: the stage1's `enter`, and its first arguments. */
export const ENTER_COMMAND_ENV = 'RKT_STAGE1_ENTERCMD';
export const ENTER_PID_ENV = 'RKT_STAGE1_ENTERPID';
export const ENTER_APP_ENV = 'RKT_STAGE1_ENTERAPP';

/** `kvm` or `tcg`: overrides the choice of accelerator. */
export const ACCEL_ENV = 'RKT_HYPERVISOR_ACCEL';

/** Appended to the guest kernel's command line, as in rkt. */
export const KERNEL_PARAMS_ENV = 'RKT_HYPERVISOR_EXTRA_KERNEL_PARAMS';

/** What can be asked for an app of a mutable pod. */
export const APP_ACTIONS = ['add', 'start', 'stop', 'rm'] as const;
export type AppAction = (typeof APP_ACTIONS)[number];

/** Those of a mutable pod are files in a directory `app`. Rkt never had `control`, `changes` (what roots on disks left), `template` (`templates.ts`), `spare` (`spares.ts`) and its app, `rehearsal`. */
export const ENTRYPOINTS = [
  'run',
  'enter',
  'gc',
  'stop',
  'control',
  'template',
  'spare',
  'rehearsal',
  'attach',
  'app/add',
  'app/start',
  'app/stop',
  'app/rm',
  'changes',
] as const;
export type Entrypoint = (typeof ENTRYPOINTS)[number];

/** Name of the annotation of the stage1's manifest that holds the entrypoint's path in its root. */
export function entrypointAnnotation(entrypoint: Entrypoint): string {
  return `coreos.com/rkt/stage1/${entrypoint}`;
}

/** Annotation of a pod's manifest, `true` where apps come and go while the pod runs. */
export const MUTABLE_ANNOTATION = 'coreos.com/rkt/stage1/mutable';
export const INTERFACE_VERSION_ANNOTATION = 'coreos.com/rkt/stage1/interface-version';

/** Whose System V IPC and message queues a pod has: its own, or its parent's, the host's. `auto` leaves it to the stage1. */
export const IPC_MODES = ['auto', 'private', 'parent'] as const;
export type IpcMode = (typeof IPC_MODES)[number];

export interface RunArguments extends AppRelaxations {
  readonly uuid: string;
  readonly debug: boolean;
  /** Networks as given to `--net`: `none`, `host`, `default`, `a,b:ARGS`. */
  readonly net: string;
  /** By what the metadata service knows the pod; null where it does not, or where the stage1 finds it in the pod's directory. */
  readonly mdsToken: string | null;
  readonly interactive: boolean;
  /** Directory of the local configuration. */
  readonly localConfig: string;
  readonly mutable: boolean;
  /** Null: the stage1 uses `rkt-UUID`. */
  readonly hostname: string | null;
  /** Ids of the host that the pod's users have outside, from its root on; null: they are the host's users. */
  readonly privateUsers: IdRange | null;
  readonly names: NameModes;
  readonly ipc: IpcMode;
  /** What cannot be enforced of the isolators is the pod's end. Not of rkt: only a stage1 that was asked for it is told. */
  readonly strictIsolators: boolean;
}

export function formatRunArguments(run: RunArguments): string[] {
  return [
    ...flag('debug', run.debug),
    `--net=${run.net}`,
    ...(run.mdsToken === null ? [] : [`--mds-token=${run.mdsToken}`]),
    ...flag('interactive', run.interactive),
    `--local-config=${run.localConfig}`,
    ...flag('mutable', run.mutable),
    ...(run.hostname === null ? [] : [`--hostname=${run.hostname}`]),
    ...(run.privateUsers === null ? [] : [`--private-users=${formatIdRange(run.privateUsers)}`]),
    ...nameModes(run.names),
    ...(run.ipc === 'auto' ? [] : [`--ipc=${run.ipc}`]),
    ...flag('disable-capabilities-restriction', run.disableCapabilitiesRestriction),
    ...flag('disable-paths', run.disablePaths),
    ...flag('disable-seccomp', run.disableSeccomp),
    ...flag('strict-isolators', run.strictIsolators),
    run.uuid,
  ];
}

/** A stage1 of an older interface can do what nobody asks for. */
function nameModes(names: NameModes): string[] {
  const text = formatNameModes(names);
  return text === formatNameModes(DEFAULT_NAME_MODES) ? [] : [`--dns-conf-mode=${text}`];
}

/** Inverse of `formatRunArguments`. @throws AbiError `bad-arguments` */
export function parseRunArguments(args: readonly string[]): RunArguments {
  const parsed = new Arguments(args, RUN_FLAGS);
  return {
    uuid: parsed.only('UUID'),
    debug: parsed.isSet('debug'),
    net: parsed.value('net') ?? 'default',
    mdsToken: parsed.value('mds-token') ?? null,
    interactive: parsed.isSet('interactive'),
    localConfig: parsed.value('local-config') ?? '/etc/rkt',
    mutable: parsed.isSet('mutable'),
    hostname: parsed.value('hostname') ?? null,
    privateUsers: privateUsers(parsed.value('private-users')),
    names: parseNameModes(parsed.value('dns-conf-mode') ?? formatNameModes(DEFAULT_NAME_MODES)),
    ipc: ipcMode(parsed.value('ipc') ?? 'auto'),
    disableCapabilitiesRestriction: parsed.isSet('disable-capabilities-restriction'),
    disablePaths: parsed.isSet('disable-paths'),
    disableSeccomp: parsed.isSet('disable-seccomp'),
    strictIsolators: parsed.isSet('strict-isolators'),
  };
}

function privateUsers(text: string | undefined): IdRange | null {
  return text === undefined ? null : parseIdRange(text, '--private-users');
}

function ipcMode(text: string): IpcMode {
  const mode = IPC_MODES.find((known) => known === text);
  if (mode === undefined)
    throw new AbiError('bad-arguments', `--ipc is ${IPC_MODES.join(', ')}, not ${JSON.stringify(text)}`);
  return mode;
}

export interface EnterArguments {
  readonly pid: number;
  readonly app: string;
  readonly command: readonly string[];
}

export function formatEnterArguments(enter: EnterArguments): string[] {
  return [`--pid=${enter.pid}`, `--appname=${enter.app}`, '--', ...enter.command];
}

/** @throws AbiError `bad-arguments` */
export function parseEnterArguments(args: readonly string[]): EnterArguments {
  const parsed = new Arguments(args, { pid: 'value', appname: 'value' });
  const pid = Number(parsed.value('pid'));
  const app = parsed.value('appname');
  if (!Number.isSafeInteger(pid) || pid < 1)
    throw new AbiError(
      'bad-arguments',
      `enter: --pid is not a process id: ${JSON.stringify(parsed.value('pid'))}`,
    );
  if (app === undefined) throw new AbiError('bad-arguments', 'enter: --appname is missing');
  if (parsed.rest.length === 0) throw new AbiError('bad-arguments', 'enter: no command given');
  return { pid, app, command: parsed.rest };
}

export interface StopArguments {
  readonly uuid: string;
  readonly force: boolean;
}

export function formatStopArguments(stop: StopArguments): string[] {
  return [...flag('force', stop.force), stop.uuid];
}

/** @throws AbiError `bad-arguments` */
export function parseStopArguments(args: readonly string[]): StopArguments {
  const parsed = new Arguments(args, { force: 'boolean' });
  return { uuid: parsed.only('UUID'), force: parsed.isSet('force') };
}

export interface ControlArguments {
  readonly uuid: string;
  /** A ControlRequest (`control.ts`) as JSON. */
  readonly request: string;
}

export function formatControlArguments({ uuid, request }: ControlArguments): string[] {
  return [`--uuid=${uuid}`, request];
}

/** @throws AbiError `bad-arguments` */
export function parseControlArguments(args: readonly string[]): ControlArguments {
  const parsed = new Arguments(args, { uuid: 'value' });
  return { uuid: parsed.value('uuid') ?? '', request: parsed.only('REQUEST') };
}

/** What an app is to be without, beside what its pod is. */
export interface AppRelaxations {
  readonly disableCapabilitiesRestriction: boolean;
  readonly disablePaths: boolean;
  readonly disableSeccomp: boolean;
}

export interface AppArguments {
  readonly app: string;
  readonly debug: boolean;
  /** For `app/add`, with the pod's UUID. */
  readonly added?: AppRelaxations & { readonly uuid: string };
}

export function formatAppArguments({ app, debug, added }: AppArguments): string[] {
  return [
    `--app=${app}`,
    ...flag('debug', debug),
    ...(added === undefined
      ? []
      : [
          `--uuid=${added.uuid}`,
          ...flag('disable-capabilities-restriction', added.disableCapabilitiesRestriction),
          ...flag('disable-paths', added.disablePaths),
          ...flag('disable-seccomp', added.disableSeccomp),
        ]),
  ];
}

/** Inverse of `formatAppArguments`. @throws AbiError `bad-arguments` */
export function parseAppArguments(args: readonly string[]): AppArguments {
  const parsed = new Arguments(args, APP_FLAGS);
  const app = parsed.value('app');
  if (app === undefined || app === '') throw new AbiError('bad-arguments', '--app is missing');
  if (parsed.rest.length > 0)
    throw new AbiError('bad-arguments', `unexpected arguments ${JSON.stringify(parsed.rest)}`);
  const uuid = parsed.value('uuid');
  const debug = parsed.isSet('debug');
  if (uuid === undefined) return { app, debug };
  return {
    app,
    debug,
    added: {
      uuid,
      disableCapabilitiesRestriction: parsed.isSet('disable-capabilities-restriction'),
      disablePaths: parsed.isSet('disable-paths'),
      disableSeccomp: parsed.isSet('disable-seccomp'),
    },
  };
}

export interface GcArguments {
  readonly uuid: string;
  readonly debug: boolean;
  readonly localConfig: string;
}

export function formatGcArguments(gc: GcArguments): string[] {
  return [...flag('debug', gc.debug), `--local-config=${gc.localConfig}`, gc.uuid];
}

/** @throws AbiError `bad-arguments` */
export function parseGcArguments(args: readonly string[]): GcArguments {
  const parsed = new Arguments(args, { debug: 'boolean', 'local-config': 'value' });
  return {
    uuid: parsed.only('UUID'),
    debug: parsed.isSet('debug'),
    localConfig: parsed.value('local-config') ?? '/etc/rkt',
  };
}

const APP_FLAGS: FlagTable = {
  app: 'value',
  debug: 'boolean',
  uuid: 'value',
  'disable-capabilities-restriction': 'boolean',
  'disable-paths': 'boolean',
  'disable-seccomp': 'boolean',
};

const RUN_FLAGS: FlagTable = {
  debug: 'boolean',
  net: 'value',
  'mds-token': 'value',
  interactive: 'boolean',
  'local-config': 'value',
  mutable: 'boolean',
  hostname: 'value',
  'private-users': 'value',
  'dns-conf-mode': 'value',
  ipc: 'value',
  'disable-capabilities-restriction': 'boolean',
  'disable-paths': 'boolean',
  'disable-seccomp': 'boolean',
  'strict-isolators': 'boolean',
};
