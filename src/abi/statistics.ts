/** What a pod uses, as its PID 1 and its supervisor tell it. Counters count from the pod's start; null is what a kernel does not tell. */
import { AbiError, FieldReader } from './json.ts';

export interface AppStatistics {
  readonly name: string;
  /** Of all processes that the app has had. */
  readonly cpuMicroseconds: number | null;
  /** What its processes and the files in memory for their sake take. */
  readonly memoryBytes: number | null;
  readonly memoryPeakBytes: number | null;
  /** Processes and their threads. */
  readonly tasks: number | null;
  readonly readBytes: number | null;
  readonly writtenBytes: number | null;
  /**
   * Whose bytes these are: all that block devices moved for the app; or what those of its processes that live, and the children
   * they have waited for, moved by system calls, through pipes and terminals too.
   */
  readonly bytesOf: 'devices' | 'calls';
}

export interface InterfaceStatistics {
  readonly name: string;
  readonly receivedBytes: number;
  readonly receivedPackets: number;
  readonly sentBytes: number;
  readonly sentPackets: number;
}

export interface GuestStatistics {
  readonly uptimeMilliseconds: number;
  readonly memoryBytes: number;
  readonly memoryAvailableBytes: number;
  readonly interfaces: readonly InterfaceStatistics[];
}

/** A process of the host that the pod consists of. */
export interface ProcessStatistics {
  readonly name: string;
  readonly pid: number;
  readonly cpuMicroseconds: number;
  /** Its share of memory that it has together with others (PSS). */
  readonly memoryBytes: number;
}

/** The pod's control group on the host. */
export interface GroupStatistics {
  readonly cpuMicroseconds: number | null;
  readonly memoryBytes: number | null;
  readonly memoryPeakBytes: number | null;
  readonly tasks: number | null;
}

const PHASES = ['starting', 'running', 'paused'] as const;
type PodPhase = (typeof PHASES)[number];

export interface PodStatistics {
  /** Milliseconds of a clock that only goes forward. */
  readonly at: number;
  /** Only a guest that runs is asked. */
  readonly phase: PodPhase;
  /** Null: the guest did not answer. */
  readonly guest: GuestStatistics | null;
  readonly processes: readonly ProcessStatistics[];
  /** What the apps use these do not: they are processes of the host, too. */
  readonly appsBeside: boolean;
  /** Null: the pod has none. */
  readonly group: GroupStatistics | null;
}

/** Most apps in one message, which bounds its size. */
export const APPS_A_MESSAGE = 32;
export const MOST_INTERFACES = 64;
const MOST_PROCESSES = 16;
const APP_NAME = /^[a-z0-9]+(-[a-z0-9]+)*$/;
/** What the kernel takes, less what a terminal would. */
const INTERFACE_NAME = /^[!-.0-~]{1,15}$/;
const APP_NAME_MAX = 512;
const NAME_MAX = 64;
const PID_MAX = 1 << 30;

/** @throws AbiError `bad-message` */
export function parseAppStatistics(message: FieldReader): readonly AppStatistics[] {
  return message.list('apps', APPS_A_MESSAGE, (value, where) => {
    const app = new FieldReader(value, where);
    return {
      name: parseAppName(app),
      cpuMicroseconds: count(app, 'cpuMicroseconds'),
      memoryBytes: count(app, 'memoryBytes'),
      memoryPeakBytes: count(app, 'memoryPeakBytes'),
      tasks: count(app, 'tasks'),
      readBytes: count(app, 'readBytes'),
      writtenBytes: count(app, 'writtenBytes'),
      bytesOf: app.word('bytesOf', ['devices', 'calls'] as const),
    };
  });
}

/** @throws AbiError `bad-message` */
export function parseGuestStatistics(message: FieldReader): GuestStatistics {
  return {
    uptimeMilliseconds: whole(message, 'uptimeMilliseconds'),
    memoryBytes: whole(message, 'memoryBytes'),
    memoryAvailableBytes: whole(message, 'memoryAvailableBytes'),
    interfaces: message.list('interfaces', MOST_INTERFACES, (value, where) => {
      const fields = new FieldReader(value, where);
      return {
        name: parseInterfaceName(fields),
        receivedBytes: whole(fields, 'receivedBytes'),
        receivedPackets: whole(fields, 'receivedPackets'),
        sentBytes: whole(fields, 'sentBytes'),
        sentPackets: whole(fields, 'sentPackets'),
      };
    }),
  };
}

/** @throws AbiError `bad-message` */
export function parsePodStatistics(message: FieldReader): PodStatistics {
  return {
    at: whole(message, 'at'),
    phase: message.word('phase', PHASES),
    guest: message.has('guest') ? parseGuestStatistics(message.object('guest')) : null,
    processes: message.list('processes', MOST_PROCESSES, (value, where) => {
      const fields = new FieldReader(value, where);
      return {
        name: fields.text('name', NAME_MAX),
        pid: fields.integer('pid', 1, PID_MAX),
        cpuMicroseconds: whole(fields, 'cpuMicroseconds'),
        memoryBytes: whole(fields, 'memoryBytes'),
      };
    }),
    appsBeside: message.has('appsBeside') && message.boolean('appsBeside'),
    group: message.has('group') ? parseGroup(message.object('group')) : null,
  };
}

function parseGroup(group: FieldReader): GroupStatistics {
  return {
    cpuMicroseconds: count(group, 'cpuMicroseconds'),
    memoryBytes: count(group, 'memoryBytes'),
    memoryPeakBytes: count(group, 'memoryPeakBytes'),
    tasks: count(group, 'tasks'),
  };
}

/** A guest's app has a name such as apps have: it is shown to people. */
function parseAppName(app: FieldReader): string {
  const name = app.text('name', APP_NAME_MAX);
  if (!APP_NAME.test(name))
    throw new AbiError(
      'bad-message',
      `${app.where}.name: ${JSON.stringify(name.slice(0, 80))} is no name of an app`,
    );
  return name;
}

function parseInterfaceName(fields: FieldReader): string {
  const name = fields.text('name', NAME_MAX);
  if (!INTERFACE_NAME.test(name))
    throw new AbiError(
      'bad-message',
      `${fields.where}.name: ${JSON.stringify(name)} is no name of an interface`,
    );
  return name;
}

function count(fields: FieldReader, key: string): number | null {
  return fields.has(key) ? whole(fields, key) : null;
}

function whole(fields: FieldReader, key: string): number {
  return fields.integer(key, 0, Number.MAX_SAFE_INTEGER);
}
