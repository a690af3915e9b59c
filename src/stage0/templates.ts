/** Saved machines that pods start from, as commands deal with them. They are made by the stage1. */
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, type Stats, statSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_ROOTS, DEFAULT_SCRATCH_BYTES, MOST_ROOT_IMAGES } from '../abi/root-disks.ts';
import { SPARES, SPARES_ENV } from '../abi/spares.ts';
import { entrypointAnnotation, VM_IDS_ENV } from '../abi/stage1.ts';
import {
  formatTemplateArguments,
  parseTemplateRecord,
  type SavedDevices,
  TEMPLATE,
  TEMPLATE_DRAFT,
  TEMPLATE_LOCK,
  TEMPLATE_REMOVED,
  TEMPLATES,
  type TemplateRecord,
  templateFailure,
} from '../abi/templates.ts';
import { annotationValue, parseQuantity, wholeUnits } from '../appc/index.ts';
import { tryExclusive } from '../os/lock.ts';
import { isSystemError } from '../os/syscall.ts';
import type { ImageRecord } from '../store/index.ts';
import { Stage0Error } from './errors.ts';
import type { Attention, Host } from './host.ts';
import { ImageSession } from './image-session.ts';
import { clearSpares, countSpares } from './spares.ts';
import { resolveStage1 } from './stage1-image.ts';
import { vmIds } from './supervisor.ts';
import { sparesKept, templateDirectory } from './template-scope.ts';

/** Beside as many disks as there may be, on the bus of a machine. */
const MOST_INTERFACES = 16;

export interface TemplateRequest {
  /** Of the machine; absent: as a pod of one app without limits has them. */
  readonly cpus?: number;
  /** What the apps may use together. */
  readonly appBytes?: number;
  /** Networks of the pod; absent: one. */
  readonly interfaces?: number;
  /** Of images whose layers are disks, beside the one that is written to; absent: one, where roots are disks. */
  readonly layers?: number;
}

/** What the flags of the same names say. Throws Stage0Error `bad-request`. */
export function parseTemplateRequest(flags: {
  readonly cpu?: string | undefined;
  readonly memory?: string | undefined;
  readonly interfaces?: string | undefined;
  readonly layers?: string | undefined;
}): TemplateRequest {
  const { cpu, memory, interfaces, layers } = flags;
  return {
    ...(cpu === undefined ? {} : { cpus: amount('--cpu', cpu) }),
    ...(memory === undefined ? {} : { appBytes: amount('--memory', memory) }),
    ...(interfaces === undefined ? {} : { interfaces: count('--interfaces', interfaces, MOST_INTERFACES) }),
    ...(layers === undefined ? {} : { layers: count('--layers', layers, MOST_ROOT_IMAGES) }),
  };
}

function count(flag: string, text: string, most: number): number {
  if (/^\d{1,3}$/.test(text) && Number(text) <= most) return Number(text);
  throw new Stage0Error('bad-request', `${flag}: expected 0 to ${most}, got ${JSON.stringify(text)}`);
}

function amount(flag: string, text: string): number {
  try {
    const units = wholeUnits(parseQuantity(text));
    if (units > 0) return units;
  } catch {
    // It is no quantity, either.
  }
  throw new Stage0Error('bad-request', `${flag}: expected an amount above zero, got ${JSON.stringify(text)}`);
}

export interface TemplateSummary extends Omit<TemplateRecord, 'facts' | 'regions'> {
  readonly key: string;
  /** The name of its directory: `host`, `tenant-0`. */
  readonly scope: string;
  /** Milliseconds since 1970. */
  readonly used: number;
  /** Bytes on the disk. */
  readonly size: number;
  /** How many machines of it wait for pods. */
  readonly spares: number;
}

export interface TemplateListing {
  readonly templates: readonly TemplateSummary[];
  readonly problems: readonly { readonly key: string; readonly error: unknown }[];
}

/** Makes one for the caller's pods, unless it is there. Gives its key. Throws Stage0Error `bad-stage1`, `unsupported`. */
export async function buildTemplate(
  host: Host,
  request: TemplateRequest,
  attention: Attention,
): Promise<string> {
  const directory = templateDirectory(host);
  if (directory === undefined)
    throw new Stage0Error(
      'unsupported',
      'templates are off in the configuration (kind template, scope host or tenant)',
    );
  await using session = new ImageSession(host, attention);
  const image = await resolveStage1(host, session, { kind: 'default' });
  const roots = image.layers.map((layer) => session.store.layerPath(layer)).reverse();
  const path = annotationValue(image.manifest.annotations, entrypointAnnotation('template'));
  const root = path === undefined ? undefined : roots.find((layer) => existsSync(join(layer, path)));
  if (path === undefined || root === undefined)
    throw new Stage0Error('unsupported', `${image.manifest.name} saves no machines`);
  return await callStage1(
    host,
    join(root, path),
    templateArguments(host, request, image, { directory, root }),
  );
}

function templateArguments(
  host: Host,
  { cpus, appBytes, interfaces, layers }: TemplateRequest,
  { id }: ImageRecord,
  { directory, root }: { readonly directory: string; readonly root: string },
): string[] {
  const devices = { interfaces: interfaces ?? 1, ...disksOf(host, layers) };
  const size = { devices, cpus: cpus ?? null, appBytes: appBytes ?? null, memoryMiB: null };
  const order = { directory, kernel: join(root, 'vm'), stage1: id, ...size };
  return formatTemplateArguments({ ...order, wait: true, debug: host.debug });
}

/** As of an app whose image has so many layers. */
function disksOf(
  { configuration: { machine } }: Host,
  layers: number | undefined,
): Pick<SavedDevices, 'disks' | 'scratchBytes'> {
  if (layers === undefined && (machine.rootfs ?? DEFAULT_ROOTS) !== 'block')
    return { disks: [], scratchBytes: null };
  const images = Array.from({ length: layers ?? 1 }, () => 'read' as const);
  return { disks: [...images, 'scratch'], scratchBytes: machine.scratchBytes ?? DEFAULT_SCRATCH_BYTES };
}

async function callStage1(host: Host, program: string, args: readonly string[]): Promise<string> {
  const { run } = await import('../os/run.ts');
  const env = { [VM_IDS_ENV]: vmIds(host.configuration) ?? '', [SPARES_ENV]: sparesKept(host) ?? '' };
  const stderr = host.debug ? 'inherit' : 'pipe';
  const {
    failed,
    stdout,
    stderr: said,
    shortMessage,
  } = await run(program, args, {
    ...{ cwd: host.dataDirectory, env, reject: false, stdin: 'ignore' as const, stderr },
  });
  if (failed)
    throw new Stage0Error('bad-stage1', `template of the stage1 failed: ${said?.trim() || shortMessage}`);
  return stdout.trim();
}

/** Those of all scopes, and what is wrong with those that cannot be read. */
export function listTemplates(host: Host): TemplateListing {
  const templates: TemplateSummary[] = [];
  const problems: { key: string; error: unknown }[] = [];
  for (const place of allTemplates(host)) {
    const { key, path } = place;
    try {
      templates.push(summary(place));
    } catch (error) {
      // It may have gone meanwhile.
      if (!isSystemError(error, 'ENOENT') || existsSync(path)) problems.push({ key, error });
    }
  }
  return { templates, problems };
}

function summary({ scope, directory, path, key }: Place): TemplateSummary {
  const {
    facts: _,
    regions: __,
    ...record
  } = parseTemplateRecord(readFileSync(join(path, TEMPLATE.record), 'utf8'));
  const size = readdirSync(path).reduce((sum, name) => sum + onDisk(statSync(join(path, name))), 0);
  const spares = countSpares(directory, key);
  return { ...record, key, scope, size, spares, used: statSync(path).mtimeMs };
}

function onDisk({ blocks }: Stats): number {
  return blocks * 512;
}

/** In all scopes. Pods that start from it have it open, and are not disturbed. Throws Stage0Error `bad-request`. */
export function removeTemplate(host: Host, key: string): void {
  const found = allTemplates(host).filter((template) => template.key === key);
  if (found.length === 0) throw new Stage0Error('bad-request', `there is no template ${JSON.stringify(key)}`);
  for (const { directory, path } of found) discard(directory, path, key);
}

/** Of no use to anybody from the first step on, whatever interrupts the second. False: somebody else has taken it away. */
function discard(directory: string, path: string, key: string): boolean {
  const removed = join(directory, `${TEMPLATE_REMOVED}${key}-${process.pid}`);
  rmSync(removed, { recursive: true, force: true });
  try {
    renameSync(path, removed);
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return false;
    throw error;
  }
  rmSync(removed, { recursive: true, force: true });
  return true;
}

/**
 * Takes away what has not been used for so many milliseconds, what says of a kind that it could not be saved, and what whoever was killed
 * has left. Gives the keys of templates that went.
 */
export function collectTemplates(host: Host, unused: number): readonly string[] {
  const before = Date.now() - unused;
  const gone: string[] = [];
  for (const { directory, path, key } of allTemplates(host)) {
    const used = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
    if (used === undefined || used > before) continue;
    if (discard(directory, path, key)) gone.push(key);
  }
  for (const scope of scopesOf(host)) clear(join(host.dataDirectory, TEMPLATES, scope), before);
  return gone;
}

function clear(directory: string, before: number): void {
  for (const name of namesIn(directory)) {
    const path = join(directory, name);
    const isOld = (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) <= before;
    if (name.startsWith(TEMPLATE_REMOVED) || (name.endsWith(templateFailure('')) && isOld))
      rmSync(path, { recursive: true, force: true });
    else if (name === TEMPLATE_DRAFT) clearDraft(directory, path);
    else if (name === SPARES) clearSpares(directory);
  }
}

/** Whoever makes one has the lock. */
function clearDraft(directory: string, draft: string): void {
  using lock = tryExclusive(join(directory, TEMPLATE_LOCK));
  if (lock !== undefined) rmSync(draft, { recursive: true, force: true });
}

interface Place {
  readonly scope: string;
  readonly directory: string;
  readonly path: string;
  readonly key: string;
}

function allTemplates(host: Host): Place[] {
  return scopesOf(host).flatMap((scope) => {
    const directory = join(host.dataDirectory, TEMPLATES, scope);
    return namesIn(directory)
      .filter((name) => !name.includes('.'))
      .map((key) => ({ scope, directory, key, path: join(directory, key) }));
  });
}

function scopesOf(host: Host): string[] {
  return namesIn(join(host.dataDirectory, TEMPLATES));
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    if (isSystemError(error, 'ENOENT')) return [];
    throw error;
  }
}
