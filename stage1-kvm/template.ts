/** The entrypoint `template`: saves a machine that has booted and knows no pod. One at a time in a scope. */
import { EXIT } from '../src/abi/exit-code.ts';
import { parseSpares, SPARES_ENV } from '../src/abi/spares.ts';
import {
  parseTemplateArguments,
  TEMPLATE,
  TEMPLATE_DRAFT,
  TEMPLATE_LOCK,
  TEMPLATE_REMOVED,
  TEMPLATE_SCRATCH,
  type TemplateArguments,
  type TemplateRecord,
  templateFailure,
} from '../src/abi/templates.ts';
import { realtime } from '../src/native/clock.ts';
import { writeFile } from '../src/native/contents.ts';
import { readdir } from '../src/native/directories.ts';
import { environment, utf8Encode } from '../src/native/engine.ts';
import { unless } from '../src/native/errors.ts';
import { File, lock, open_, tryLock, writeAll } from '../src/native/files.ts';
import { mount, ms, unshare } from '../src/native/mounts.ts';
import { chmod, mkdir, mkdirAll, rename, rmdir, unlink } from '../src/native/paths.ts';
import { waitFor } from '../src/native/processes.ts';
import { dataRegions, type Region } from '../src/native/sparse-files.ts';
import { spawn } from '../src/native/spawn.ts';
import { fstat, statIfPresent } from '../src/native/stat.ts';
import { call } from '../src/native/syscall.ts';
import { formatScratch } from '../src/supervisor/disks/scratch.ts';
import { Report } from '../src/supervisor/report.ts';
import { chooseAccelerator } from './accelerator.ts';
import { inBackground } from './background.ts';
import { KvmError } from './error.ts';
import { readHost } from './host.ts';
import { findPrograms } from './programs.ts';
import { canHaveSpares } from './saved-devices.ts';
import { saveMachine } from './saving.ts';
import { memoryFor, sizeMachine } from './size.ts';
import { MEMORY_FILE } from './template-arguments.ts';
import { mountMemoryFile, unmountMemoryFile } from './template-memory.ts';
import { closeTemplate, describeTemplate, openTemplate, type TemplateKind } from './template-store.ts';

/** Of a draft: what becomes the template, where QEMU's root is made, where its memory is. */
const DRAFT = { template: 'template', root: 'root', memory: 'memory' } as const;
const STDOUT = 1;
/** A hole that is smaller is copied as zeros: fewer pieces are faster. */
const SMALLEST_HOLE = 65536;

/** Prints the key of a template that is there then. Zero also where somebody else makes one, who was not waited for. */
export function template(args: readonly string[]): number {
  const options = parseTemplateArguments(args);
  const { directory } = options;
  mkdirAll(directory, 0o700);
  using file = File.open(`${directory}/${TEMPLATE_LOCK}`, open_.readWrite | open_.create, 0o600);
  if (options.wait) lock(file.fd, 'exclusive');
  else if (!tryLock(file.fd, 'exclusive')) return EXIT.ok;
  removeDraft(`${directory}/${TEMPLATE_DRAFT}`);
  const report = new Report('template', options.debug);
  const kind = kindOf(options, report);
  if (!isThere(kind)) make(kind, options, report);
  if (options.wait) {
    fillSlots(kind, options);
    writeAll(STDOUT, utf8Encode(`${kind.key}\n`));
  }
  return EXIT.ok;
}

/** Each takes one that is free, if there is one. */
function fillSlots(kind: TemplateKind, { kernel }: TemplateArguments): void {
  if (!canHaveSpares(kind.machine.devices)) return;
  const { count } = parseSpares(environment(SPARES_ENV));
  for (let slot = 0; slot < count; slot++) inBackground('/proc/self/exe', 'spare', kind, kernel);
}

/** Of such machines on this host. */
export function kindOf(options: TemplateArguments, report: Report): TemplateKind {
  const { directory, stage1, kernel, cpus, memoryMiB, appBytes, devices } = options;
  const host = readHost();
  const { accelerator, warning } = chooseAccelerator(host);
  if (warning !== undefined) report.step(warning);
  // As for a pod of one app without limits.
  const usual = sizeMachine([{ isolators: [] }], host.cpus, accelerator);
  const asked = appBytes === null ? usual.memoryMiB : memoryFor(appBytes);
  const size = { cpus: cpus ?? usual.cpus, memoryMiB: memoryMiB ?? asked };
  const { qemu } = findPrograms(false);
  return describeTemplate(
    { accelerator, size, devices },
    { directory, kernelDirectory: kernel, stage1, qemu },
  );
}

function isThere(kind: TemplateKind): boolean {
  const open = openTemplate(kind);
  if (typeof open === 'string') return false;
  closeTemplate(open);
  return true;
}

function make(kind: TemplateKind, { kernel, wait }: TemplateArguments, report: Report): void {
  const { directory, key } = kind;
  const draft = `${directory}/${TEMPLATE_DRAFT}`;
  const failure = `${directory}/${templateFailure(key)}`;
  unless(['ENOENT'], () => unlink(failure));
  try {
    draw(kind, draft, kernel, report);
    makeRoom(directory, key);
    rename(`${draft}/${DRAFT.template}`, `${directory}/${key}`);
    force(directory);
  } catch (error) {
    if (!wait && error instanceof Error) writeFile(failure, `${error.message}\n`, 0o600);
    throw error;
  } finally {
    removeDraft(draft);
  }
}

/** What is there of this name does not fit. Away with it in one step: half of one would be in the way of every later one. */
function makeRoom(directory: string, key: string): void {
  const removed = `${directory}/${TEMPLATE_REMOVED}${key}`;
  removeTemplate(removed);
  unless(['ENOENT'], () => rename(`${directory}/${key}`, removed));
  removeTemplate(removed);
}

function draw(kind: TemplateKind, draft: string, kernel: string, report: Report): void {
  // The memory's file system is nobody else's business, and goes with this process.
  unshare('mount');
  mount({ target: '/', flags: ms.recursive | ms.slave });
  mkdir(draft, 0o711);
  for (const name of Object.values(DRAFT)) mkdir(`${draft}/${name}`, 0o711);
  const [place, memory, root] = [DRAFT.template, DRAFT.memory, DRAFT.root].map((name) => `${draft}/${name}`);
  if (place === undefined || memory === undefined || root === undefined) throw new TypeError('three names');
  chmod(place, 0o700);
  const { scratchBytes } = kind.machine.devices;
  const scratchPath = `${place}/${TEMPLATE_SCRATCH}`;
  if (scratchBytes !== null) formatScratch(scratchPath, scratchBytes, root);
  const guestKernel = saveMachine(kind.machine, {
    kernelDirectory: kernel,
    rootPlace: root,
    memoryPlace: memory,
    scratchPath: scratchBytes === null ? undefined : scratchPath,
    statePath: `${place}/${TEMPLATE.state}`,
    mountMemory: (id) => mountMemoryFile(memory, kind.machine.size.memoryMiB, id),
    report,
  });
  copySparse(`${memory}/${MEMORY_FILE}`, `${place}/${TEMPLATE.memory}`);
  unmountMemoryFile(memory);
  writeFile(`${place}/${TEMPLATE.record}`, `${JSON.stringify(recordOf(kind, place, guestKernel))}\n`, 0o600);
  for (const name of readdir(place)) force(`${place}/${name}`);
  force(place);
  report.step(`saved as ${kind.key}`);
}

/** Zeros become holes: most of a machine's memory is. */
function copySparse(from: string, to: string): void {
  const pid = spawn({
    path: '/bin/cp',
    argv: ['cp', '--sparse=always', '--', from, to],
    env: ['PATH=/usr/bin:/bin'],
    fds: [0, 1, 2],
  });
  const { exit } = waitFor(pid);
  if (exit.kind !== 'exited' || exit.code !== 0)
    throw new KvmError('vessel-failed', 'the memory of the machine could not be copied');
  chmod(to, 0o600);
}

function recordOf({ facts, machine, stage1 }: TemplateKind, place: string, kernel: string): TemplateRecord {
  using memory = File.open(`${place}/${TEMPLATE.memory}`, open_.readOnly);
  using state = File.open(`${place}/${TEMPLATE.state}`, open_.readOnly);
  const { accelerator, size, devices } = machine;
  const stat = fstat(memory.fd);
  const regions = dataRegions(memory.fd, stat) ?? [{ offset: 0, length: stat.size }];
  return {
    facts,
    accelerator,
    ...size,
    devices,
    stage1,
    kernel,
    memoryBytes: stat.size,
    stateBytes: fstat(state.fd).size,
    regions: joined(regions).flatMap(({ offset, length }) => [offset, length]),
    created: realtime().seconds,
  };
}

function joined(regions: readonly Region[]): Region[] {
  const all: Region[] = [];
  for (const region of regions) {
    const last = all.at(-1);
    if (last !== undefined && region.offset - (last.offset + last.length) < SMALLEST_HOLE)
      all[all.length - 1] = { offset: last.offset, length: region.offset + region.length - last.offset };
    else all.push(region);
  }
  return all;
}

/** To the disk: a template outlives power cuts, whole or not at all. */
function force(path: string): void {
  using file = File.open(path, open_.readOnly);
  call('fsync', file.fd);
}

function removeDraft(draft: string): void {
  if (statIfPresent(draft) === undefined) return;
  unmountMemoryFile(`${draft}/${DRAFT.memory}`);
  removeTemplate(`${draft}/${DRAFT.template}`);
  for (const name of [DRAFT.root, DRAFT.memory]) unless(['ENOENT'], () => rmdir(`${draft}/${name}`));
  rmdir(draft);
}

/** `gc` may do the same at that moment. */
function removeTemplate(place: string): void {
  unless(['ENOENT'], () => {
    for (const name of readdir(place)) unless(['ENOENT'], () => unlink(`${place}/${name}`));
    rmdir(place);
  });
}
