/**
 * Saved machines: what stage0 and a stage1 that saves machines agree on. They are directories `DATA/templates/SCOPE/KEY`, of root's alone;
 * whoever may use one scope's can learn what all machines restored from them have in common (docs/templates.md).
 */
import { AbiError, FieldReader } from './json.ts';
import { Arguments, flag } from './stage1-flags.ts';

/** In the data directory. */
export const TEMPLATES = 'templates';

/** The directory of the scope whose machines a pod may start from, absolute; not set: none. */
export const TEMPLATES_ENV = 'RKT_TEMPLATES';

/** Names in a scope's directory; a key has no dot. */
export const TEMPLATE_LOCK = '.lock';
/** What is being made, by whoever has the lock; otherwise it is somebody's who was killed. */
export const TEMPLATE_DRAFT = '.draft';
/** On its way out. */
export const TEMPLATE_REMOVED = '.removed-';

/** Files of a template. The record is there last. */
export const TEMPLATE = { record: 'template.json', memory: 'memory', state: 'state' } as const;
/** And one of a machine that has such a disk: the disk, as it was when the machine was saved. */
export const TEMPLATE_SCRATCH = 'scratch';
/** Beside them: why no machine of this kind could be saved. */
export const templateFailure = (key: string) => `${key}.failed`;

/** What a machine is saved with: interfaces, and disks in their order, to read, to write, and the one that its apps' roots are written to. */
export interface SavedDevices {
  readonly interfaces: number;
  readonly disks: readonly ('read' | 'write' | 'scratch')[];
  /** Of the last of these. The machine is saved with it mounted, and empty. */
  readonly scratchBytes: number | null;
}

export interface TemplateRecord {
  /** All that a machine of this kind depends on; equal where a template fits. */
  readonly facts: readonly string[];
  readonly accelerator: string;
  readonly cpus: number;
  readonly memoryMiB: number;
  readonly devices: SavedDevices;
  /** Id of the stage1's image. */
  readonly stage1: string;
  readonly kernel: string;
  readonly memoryBytes: number;
  readonly stateBytes: number;
  /** Parts of the memory that are not all zeros: offsets and lengths, one after the other. */
  readonly regions: readonly number[];
  /** Seconds since 1970. */
  readonly created: number;
}

const LIST_MAX = 1_000_000;

/** @throws AbiError */
export function parseTemplateRecord(text: string): TemplateRecord {
  const record = new FieldReader(parseJson(text), 'template');
  return {
    facts: record.texts('facts', LIST_MAX),
    accelerator: record.string('accelerator', 16),
    cpus: record.integer('cpus', 1, 4096),
    memoryMiB: record.integer('memoryMiB', 1, Number.MAX_SAFE_INTEGER),
    devices: devices(record.object('devices')),
    stage1: record.string('stage1', 256),
    kernel: record.string('kernel', 256),
    memoryBytes: record.integer('memoryBytes', 1, Number.MAX_SAFE_INTEGER),
    stateBytes: record.integer('stateBytes', 1, Number.MAX_SAFE_INTEGER),
    regions: record.integers('regions', LIST_MAX, 0, Number.MAX_SAFE_INTEGER),
    created: record.integer('created', 0, Number.MAX_SAFE_INTEGER),
  };
}

function devices(record: FieldReader): SavedDevices {
  return {
    interfaces: record.integer('interfaces', 0, 999),
    disks: record.texts('disks', 999).map(disk),
    scratchBytes: record.has('scratchBytes')
      ? record.integer('scratchBytes', 1, Number.MAX_SAFE_INTEGER)
      : null,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AbiError('bad-message', 'template: no JSON', { cause });
  }
}

export interface TemplateArguments {
  /** Of the scope, absolute. */
  readonly directory: string;
  /** Where the kernel and the initramfs are. */
  readonly kernel: string;
  /** Id of the stage1's image. */
  readonly stage1: string;
  readonly cpus: number | null;
  /** Of the machine. */
  readonly memoryMiB: number | null;
  /** What the pod's apps may use together; null: as for one app without a limit. */
  readonly appBytes: number | null;
  readonly devices: SavedDevices;
  /** Whoever makes one already is waited for; a failure of before is forgotten. */
  readonly wait: boolean;
  readonly debug: boolean;
}

const DISK_SEPARATOR = ',';

export function formatTemplateArguments(template: TemplateArguments): string[] {
  return [
    ...flag('debug', template.debug),
    ...flag('wait', template.wait),
    ...(template.cpus === null ? [] : [`--cpus=${template.cpus}`]),
    ...(template.memoryMiB === null ? [] : [`--memory=${template.memoryMiB}`]),
    ...(template.appBytes === null ? [] : [`--app-bytes=${template.appBytes}`]),
    `--interfaces=${template.devices.interfaces}`,
    `--disks=${template.devices.disks.join(DISK_SEPARATOR)}`,
    ...(template.devices.scratchBytes === null ? [] : [`--scratch-bytes=${template.devices.scratchBytes}`]),
    `--kernel=${template.kernel}`,
    `--stage1=${template.stage1}`,
    template.directory,
  ];
}

/** Inverse of `formatTemplateArguments`. @throws AbiError `bad-arguments` */
export function parseTemplateArguments(args: readonly string[]): TemplateArguments {
  const parsed = new Arguments(args, {
    debug: 'boolean',
    wait: 'boolean',
    cpus: 'value',
    memory: 'value',
    'app-bytes': 'value',
    interfaces: 'value',
    disks: 'value',
    'scratch-bytes': 'value',
    kernel: 'value',
    stage1: 'value',
  });
  return {
    directory: parsed.only('DIRECTORY'),
    kernel: parsed.value('kernel') ?? 'vm',
    stage1: parsed.value('stage1') ?? '',
    cpus: count('--cpus', parsed.value('cpus')),
    memoryMiB: count('--memory', parsed.value('memory')),
    appBytes: count('--app-bytes', parsed.value('app-bytes')),
    devices: {
      interfaces: interfaces(parsed.value('interfaces')),
      disks: (parsed.value('disks') ?? '')
        .split(DISK_SEPARATOR)
        .filter((text) => text !== '')
        .map(disk),
      scratchBytes: count('--scratch-bytes', parsed.value('scratch-bytes')),
    },
    wait: parsed.isSet('wait'),
    debug: parsed.isSet('debug'),
  };
}

function count(name: string, text: string | undefined): number | null {
  if (text === undefined) return null;
  const number = Number(text);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new AbiError('bad-arguments', `${name} is no number above zero: ${JSON.stringify(text)}`);
}

function interfaces(text = '0'): number {
  if (/^\d{1,3}$/.test(text)) return Number(text);
  throw new AbiError('bad-arguments', `--interfaces is no number: ${JSON.stringify(text)}`);
}

function disk(text: string): SavedDevices['disks'][number] {
  if (text === 'read' || text === 'write' || text === 'scratch') return text;
  throw new AbiError('bad-arguments', `--disks: neither read, write nor scratch: ${JSON.stringify(text)}`);
}
