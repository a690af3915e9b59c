/** One network of a pod: what a chain of plugins does for it, in order, and back (CNI specification, section 3). */
import type { JsonObject } from '../../abi/json.ts';
import { monotonicMilliseconds } from '../../native/clock.ts';
import { environ } from '../../native/engine.ts';
import { SystemError } from '../../native/errors.ts';
import type { AttachmentRecord } from '../../net/attachment-record.ts';
import { CNI_ERROR, CniError } from '../../net/cni/errors.ts';
import { type CniResult, EMPTY_RESULT } from '../../net/cni/result.ts';
import { parseResult } from '../../net/cni/result-formats.ts';
import { type CniVersion, isAtLeast } from '../../net/cni/versions.ts';
import { cniArgs } from '../../net/net-request.ts';
import { type PluginGiven, pluginInput } from '../../net/plugin-input.ts';
import { type CniCommand, timeLimit } from '../../net/time-limits.ts';
import { SupervisorError } from '../error.ts';
import type { HostSide } from './host-side.ts';
import { type EndingSignals, Interruption } from './interruption.ts';
import { callPlugin } from './plugin-call.ts';
import { findPlugin } from './plugin-search.ts';

/** Of these versions on, plugins know of what. */
const SINCE = { prevResultOfDel: '0.4.0', check: '0.4.0', status: '1.1.0' } as const satisfies Readonly<
  Record<string, CniVersion>
>;

/** Codes of what a plugin says before it makes anything. */
const REFUSALS: readonly number[] = [
  CNI_ERROR.incompatibleVersion,
  CNI_ERROR.unsupportedField,
  CNI_ERROR.invalidConfiguration,
];

/** What the plugins of all of a pod's networks are told. */
export interface Attaching {
  readonly host: HostSide;
  readonly containerId: string;
  /** Path of the pod's network namespace, as the host sees it. */
  readonly netns: string;
  /** An open file (`plugin-call.ts`). */
  readonly lock: number;
  /** When all that is to be done of the pod's networks should be, by the monotonic clock in milliseconds. */
  readonly deadline?: number | undefined;
  /** Which end a plugin. */
  readonly signals?: EndingSignals | undefined;
}

/** Calls the plugins of one recorded network. All throw SupervisorError `network-failed`, and Interruption where signals are taken. */
export class Attachment {
  constructor(
    private readonly pod: Attaching,
    private readonly record: AttachmentRecord,
  ) {}

  /** After each plugin `step` gets what there is by then, and whether it was the last. */
  add(step: (result: CniResult, isLast: boolean) => void): CniResult {
    const { plugins } = this.record.list;
    let result: CniResult | undefined;
    this.#status();
    plugins.forEach((plugin, index) => {
      const text = this.#call('ADD', plugin, { prevResult: result });
      result = this.#parse(plugin, text);
      step(result, index === plugins.length - 1);
    });
    return result ?? EMPTY_RESULT;
  }

  /** In the opposite order, with what ADD has come to in the end. One that fails does not keep the others. */
  del(): void {
    const { list, result } = this.record;
    const prevResult = this.#knows('prevResultOfDel') ? result : undefined;
    const problems: SupervisorError[] = [];
    for (const plugin of list.plugins.toReversed()) {
      try {
        this.#call('DEL', plugin, { prevResult });
      } catch (error) {
        if (!(error instanceof SupervisorError)) throw error;
        if (!this.#hasMadeNothing(error)) problems.push(error);
      }
    }
    const [first] = problems;
    if (first !== undefined) throw first;
  }

  /** One that cannot do with the network's version, or its configuration, refuses DEL as it has refused ADD: of it there is nothing to be undone, now or ever. */
  #hasMadeNothing({ cause }: SupervisorError): boolean {
    return this.record.phase === 'adding' && cause instanceof CniError && REFUSALS.includes(cause.code);
  }

  /** Fails where something is not there that ADD has made; false where its plugins cannot tell. */
  check(): boolean {
    const { list, result } = this.record;
    if (list.disableCheck || !this.#knows('check')) return false;
    for (const plugin of list.plugins) this.#call('CHECK', plugin, { prevResult: result });
    return true;
  }

  /** Before anything is made. */
  #status(): void {
    if (!this.#knows('status')) return;
    for (const plugin of this.record.list.plugins) this.#call('STATUS', plugin, {});
  }

  #knows(what: keyof typeof SINCE): boolean {
    return isAtLeast(this.record.list.cniVersion, SINCE[what]);
  }

  #call(command: CniCommand, plugin: JsonObject, given: PluginGiven): string {
    try {
      return this.#run(command, plugin, given);
    } catch (cause) {
      if (cause instanceof Interruption) throw cause;
      throw this.#failure(plugin, command, cause, mayBeVersion(command, cause) ? this.#versions(plugin) : '');
    }
  }

  #run(command: CniCommand, plugin: JsonObject, given: PluginGiven): string {
    const { host, lock, signals, deadline } = this.pod;
    const { list, cniPath, runtimeConfig } = this.record;
    const path = host.inMounts(() => findPlugin(typeOf(plugin), cniPath));
    const input = pluginInput(list, plugin, { ...given, runtimeConfig });
    const limit = timeLimit(command, deadline === undefined ? undefined : deadline - monotonicMilliseconds());
    const environment = this.#environment(command);
    return callPlugin(host, { path, input, limit, lock, signals, environment });
  }

  #environment(command: CniCommand): string[] {
    const { containerId, netns } = this.pod;
    const { ifName, args, cniPath } = this.record;
    const ofContainer = [`CNI_CONTAINERID=${containerId}`, `CNI_NETNS=${netns}`, `CNI_IFNAME=${ifName}`];
    return [
      ...environ().filter(isTheirs),
      `CNI_COMMAND=${command}`,
      ...(command === 'STATUS' || command === 'VERSION' ? [] : ofContainer),
      ...(args === '' ? [] : [`CNI_ARGS=${cniArgs(args)}`]),
      `CNI_PATH=${cniPath.join(':')}`,
    ];
  }

  /** A plugin that may not speak the network's version is asked for those that it does. */
  #versions(plugin: JsonObject): string {
    const { cniVersion } = this.record.list;
    try {
      const answer: unknown = JSON.parse(this.#run('VERSION', plugin, {}));
      if (answer === null || typeof answer !== 'object' || !('supportedVersions' in answer)) return '';
      const spoken = answer.supportedVersions;
      if (!Array.isArray(spoken) || spoken.includes(cniVersion)) return '';
      return `; it does not speak version ${cniVersion}, but ${JSON.stringify(spoken)}`;
    } catch {
      return '';
    }
  }

  #parse(plugin: JsonObject, text: string): CniResult {
    try {
      return parseResult(JSON.parse(text), 'result');
    } catch (cause) {
      throw this.#failure(plugin, 'ADD', cause, '');
    }
  }

  #failure(plugin: JsonObject, command: CniCommand, cause: unknown, more: string): SupervisorError {
    const { name } = this.record.list;
    // rkt's words, which scripts look for.
    const what = command === 'ADD' ? 'failed to setup network: ' : '';
    const message = `${what}network ${name}: plugin ${typeOf(plugin)}: ${command}: ${reasonOf(cause)}${more}`;
    return new SupervisorError('network-failed', message, { cause });
  }
}

/** Which plugin a part of a network's configuration is for. */
export function typeOf({ type }: JsonObject): string {
  return String(type);
}

/** One that does not know STATUS says all sorts of things. */
function mayBeVersion(command: CniCommand, cause: unknown): boolean {
  if (!(cause instanceof CniError)) return false;
  return (
    cause.code === CNI_ERROR.incompatibleVersion ||
    (command === 'STATUS' && cause.code < CNI_ERROR.unavailable)
  );
}

function reasonOf(cause: unknown): string {
  if (cause instanceof CniError) {
    const details = cause.details === '' ? '' : `: ${cause.details}`;
    return `${cause.message} (code ${cause.code})${details}`;
  }
  if (cause instanceof SystemError) return cause.message;
  return `gives no result: ${cause instanceof Error ? cause.message : String(cause)}`;
}

/** What only concerns the supervisor, or what this very call says, is nothing for a plugin. */
const OURS = ['RKT_', 'CNI_', 'LISTEN_', 'NOTIFY_SOCKET'];

function isTheirs(variable: string): boolean {
  return !OURS.some((prefix) => variable.startsWith(prefix));
}
