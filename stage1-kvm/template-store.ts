/** The saved machines of a scope, as far as a pod uses them. */
import { POD } from '../src/abi/pod-directory.ts';
import {
  parseTemplateRecord,
  TEMPLATE,
  TEMPLATE_SCRATCH,
  TEMPLATES_ENV,
  type TemplateRecord,
  templateFailure,
} from '../src/abi/templates.ts';
import { readText, readTextIfPresent } from '../src/native/contents.ts';
import { environment } from '../src/native/engine.ts';
import { unless } from '../src/native/errors.ts';
import { close, open, open_ } from '../src/native/files.ts';
import { fstat, stat, statIfPresent } from '../src/native/stat.ts';
import { call } from '../src/native/syscall.ts';
import { kernelRelease } from '../src/native/system.ts';
import type { SavedMachine } from './template-arguments.ts';
import { templateFacts, templateKey } from './template-key.ts';

/** A template for machines of one kind, there or not. */
export interface TemplateKind {
  readonly machine: SavedMachine;
  /** Of the scope. */
  readonly directory: string;
  readonly stage1: string;
  readonly facts: readonly string[];
  readonly key: string;
}

/** Open files stay what they are whoever removes the template. */
export interface OpenTemplate {
  /** Its directory. */
  readonly place: string;
  readonly record: TemplateRecord;
  readonly memory: number;
  readonly state: number;
  /** A disk to be copied. */
  readonly scratch: number | undefined;
}

const RECORD_BYTES = 16 * 1024 * 1024;

/** `kernelDirectory` has the kernel and the initramfs. */
export function describeTemplate(
  machine: SavedMachine,
  where: {
    readonly directory: string;
    readonly kernelDirectory: string;
    readonly stage1: string;
    readonly qemu: string;
  },
): TemplateKind {
  const { directory, kernelDirectory, stage1, qemu } = where;
  const facts = templateFacts(machine, {
    stage1,
    kernel: stat(`${kernelDirectory}/vmlinux`),
    initramfs: stat(`${kernelDirectory}/initramfs`),
    qemu: { ...stat(qemu), path: qemu },
    cpuInfo: readText('/proc/cpuinfo'),
    kernelRelease: kernelRelease(),
    hasVhost: statIfPresent('/dev/vhost-net') !== undefined,
  });
  return { machine, directory, stage1, facts, key: templateKey(facts) };
}

/** That of the pod whose directory is the current one; undefined where pods are not to start from saved machines. */
export function templateOfPod(
  machine: SavedMachine,
  kernelDirectory: string,
  qemu: string,
): TemplateKind | undefined {
  const directory = environment(TEMPLATES_ENV);
  if (directory === undefined || directory === '') return undefined;
  const stage1 = readText(POD.stage1Image).trim();
  return describeTemplate(machine, { directory, kernelDirectory, stage1, qemu });
}

/** Its files, or why there are none. Whatever is wrong with one is a reason to start without it. */
export function openTemplate({ directory, key, facts }: TemplateKind): OpenTemplate | string {
  const place = `${directory}/${key}`;
  try {
    const text = readTextIfPresent(`${place}/${TEMPLATE.record}`, RECORD_BYTES);
    if (text === undefined) return absence(directory, key);
    const record = parseTemplateRecord(text);
    if (record.facts.join('\n') !== facts.join('\n')) return `the template ${key} is of another kind`;
    return openFiles(place, record);
  } catch (error) {
    if (error instanceof Error) return `the template ${key} is not usable: ${error.message}`;
    throw error;
  }
}

function absence(directory: string, key: string): string {
  const failure = readTextIfPresent(`${directory}/${templateFailure(key)}`)?.trim();
  return failure === undefined ? `there is no template ${key} yet` : `no template ${key}: ${failure}`;
}

/** Whether one should be made where none could be opened, be it there or not: a kind of which that has failed is left alone. */
export function isMissing({ directory, key }: TemplateKind): boolean {
  return statIfPresent(`${directory}/${templateFailure(key)}`) === undefined;
}

function openFiles(place: string, record: TemplateRecord): OpenTemplate {
  const opened: number[] = [];
  try {
    const names = [
      TEMPLATE.memory,
      TEMPLATE.state,
      ...(record.devices.scratchBytes === null ? [] : [TEMPLATE_SCRATCH]),
    ];
    const [memory, state, scratch] = names.map((name) => {
      const fd = open(`${place}/${name}`, open_.readOnly);
      opened.push(fd);
      return fd;
    });
    if (memory === undefined || state === undefined) throw new TypeError('two files are two at least');
    if (fstat(memory).size !== record.memoryBytes || fstat(state).size !== record.stateBytes)
      throw new RangeError('a file has another size than it had');
    if (scratch !== undefined && fstat(scratch).size !== record.devices.scratchBytes)
      throw new RangeError('its disk has another size than it had');
    return { place, record, memory, state, scratch };
  } catch (error) {
    for (const fd of opened) close(fd);
    throw error;
  }
}

/** A pod has started from it: for `gc`. One that only fails is not kept by that. */
export function markUsed({ place }: OpenTemplate): void {
  unless(['EROFS', 'EPERM', 'ENOENT'], () => call('utimensat', -100, place, null, 0));
}

export function closeTemplate({ memory, state, scratch }: OpenTemplate): void {
  for (const fd of [memory, state, scratch]) if (fd !== undefined) close(fd);
}
