import { capabilityNames } from '../native/capability-names.ts';
import { type IsolatorRequest, RLIMIT_NAMES } from '../stage0/isolator-request.ts';
import { podIsolators } from '../stage0/pod-isolators.ts';
import { parseSeccomp, SECCOMP_WORDS } from '../stage0/seccomp-request.ts';
import type { FlagValues } from './app-arguments.ts';
import { CliError } from './error.ts';
import { boolean, Flag, keyed, value, values } from './flag.ts';
import { all, last, maybe } from './flag-values.ts';

const CAPABILITIES = { ...values('CAP,...'), choices: capabilityNames } as const;

/** What an app may use, and do. */
export const ISOLATOR_FLAGS: readonly Flag[] = [
  new Flag('memory', value('BYTES'), 'limit, as 256M or 1Gi'),
  new Flag('cpu', value('CORES'), 'limit, as 2 or 500m'),
  new Flag('cpu-shares', value('N'), 'part of processors that others want, too: 2 to 262144 (others: 1024)'),
  new Flag('pids-limit', value('N'), 'most processes and threads'),
  new Flag(
    'ulimit',
    keyed('NAME=SOFT[:HARD]', RLIMIT_NAMES),
    'limit of each process, as nofile=1024:2048 or core=0',
  ),
  new Flag('oom-score-adj', value('N'), 'whom the kernel kills first when memory is wanting: -1000 to 1000'),
  new Flag('caps-retain', CAPABILITIES, 'the capabilities that it has, instead of the default'),
  new Flag('caps-remove', CAPABILITIES, 'capabilities of the default that it has not'),
  new Flag('cap-retain', CAPABILITIES, 'deprecated, use --caps-retain'),
  new Flag('cap-remove', CAPABILITIES, 'deprecated, use --caps-remove'),
  new Flag(
    'seccomp',
    { ...value('FILTER'), keys: SECCOMP_WORDS },
    'system calls: mode=retain|remove[,errno=E],CALL|@GROUP,... or profile=FILE',
  ),
];

/** What a pod as a whole may use, and has of its kernel. */
export const POD_ISOLATOR_FLAGS: readonly Flag[] = [
  new Flag('sysctl', values('NAME=VALUE'), "a setting of the pod's kernel, as net.core.somaxconn=512"),
  new Flag('block-bandwidth', value('BYTES'), 'most a second from each block device, and to it, as 10M'),
  new Flag('block-iops', value('N'), 'most operations a second of each block device, each way'),
  new Flag('network-bandwidth', value('BYTES'), 'most a second over each interface, each way, as 1M'),
];

export const STRICT_FLAG = new Flag(
  'strict-isolators',
  boolean,
  'no pod rather than one in which an isolator has no effect',
);

/** `read` gives the text of a file. Throws CliError `usage`, Stage0Error `bad-request`, and what `read` throws. */
export function isolatorRequest(flags: FlagValues, read: (path: string) => string): IsolatorRequest {
  const lists = {
    capsRetain: [...all(flags, 'caps-retain'), ...all(flags, 'cap-retain')],
    capsRemove: [...all(flags, 'caps-remove'), ...all(flags, 'cap-remove')],
    ulimits: all(flags, 'ulimit'),
  };
  return {
    ...maybe('memory', last(flags, 'memory')),
    ...maybe('cpu', last(flags, 'cpu')),
    ...maybe('cpuShares', last(flags, 'cpu-shares')),
    ...maybe('pidsLimit', last(flags, 'pids-limit')),
    ...maybe('oomScoreAdj', last(flags, 'oom-score-adj')),
    ...Object.fromEntries(Object.entries(lists).filter(([, texts]) => texts.length > 0)),
    ...seccomp(flags, read),
  };
}

/** Of the pod. Throws Stage0Error `bad-request`. */
export function podIsolatorRequest(flags: FlagValues) {
  const isolators = podIsolators({
    sysctls: all(flags, 'sysctl'),
    ...maybe('blockBandwidth', last(flags, 'block-bandwidth')),
    ...maybe('blockIops', last(flags, 'block-iops')),
    ...maybe('networkBandwidth', last(flags, 'network-bandwidth')),
  });
  return isolators.length === 0 ? {} : { isolators };
}

function seccomp(flags: FlagValues, read: (path: string) => string): Pick<IsolatorRequest, 'seccomp'> {
  const [text, second] = all(flags, 'seccomp');
  if (second !== undefined) throw new CliError('usage', '--seccomp: an app has one filter');
  return text === undefined ? {} : { seccomp: parseSeccomp(text, read) };
}
