/**
 * Files that lie over those of an app's root (`CoverPlan`). They are in a file system of PID 1's, which has been told the names of
 * other pods and goes on writing them there.
 */
import type { AppPlan, CoverPlan } from '../src/abi/boot-plan.ts';
import { concat } from '../src/native/bytes.ts';
import { readToEnd } from '../src/native/contents.ts';
import { utf8Decode, utf8Encode } from '../src/native/engine.ts';
import { unless } from '../src/native/errors.ts';
import { File, open, open_, truncate, writeAll, writeAt } from '../src/native/files.ts';
import { writeMissingFile } from '../src/native/missing-file.ts';
import { setReadOnly } from '../src/native/mount-attributes.ts';
import { attachMount, cloneMount } from '../src/native/mounts.ts';
import { chmod, mkdirAll, rmdir, unlink } from '../src/native/paths.ts';
import { fstat } from '../src/native/stat.ts';
import { COVERS } from './devices.ts';
import { withNames } from './hosts-names.ts';

/** What is read of a root, and of what an app has made of a cover. */
const FILE_MAX = 1024 * 1024;

/** A cover on its way into the root: made before that is entered, attached after. */
export interface OpenCover {
  readonly plan: CoverPlan;
  /** The file itself, and a detached mount of it. */
  readonly file: number;
  readonly mount: number;
}

/** In the app's process, in PID 1's root. */
export function makeCovers(app: AppPlan): OpenCover[] {
  if (app.covers.length > 0) mkdirAll(directoryOf(app.name), 0o755);
  return app.covers.map((plan, index) => {
    const path = fileOf(app.name, index);
    const file = open(path, open_.writeOnly | open_.create | open_.truncate, plan.mode);
    chmod(file, plan.mode);
    return { plan, file, mount: cloneMount(path, false) };
  });
}

/** In the app's root, which has all its other files. */
export function attachCovers(covers: readonly OpenCover[], app: AppPlan, names: string): void {
  for (const { plan, file, mount } of covers) {
    const { path, mode } = plan;
    const text = plan.content ?? textOfRoot(path);
    writeAll(file, utf8Encode(plan.names ? withNames(text, names) : text));
    writeMissingFile({ path, mode, content: '' });
    attachMount(mount, path);
    if (plan.readOnly || app.readOnlyRoot) setReadOnly(path, 'alone');
  }
}

/** By PID 1, of an app whose process has its root. What it has made of the file itself stays, above. */
export function renewNames(app: AppPlan, names: string): void {
  app.covers.forEach((plan, index) => {
    if (plan.names) unless(UNRENEWED, () => renew(fileOf(app.name, index), names));
  });
}

/** By PID 1, of an app that leaves the pod. */
export function removeCovers(app: AppPlan): void {
  app.covers.forEach((_, index) => {
    unless(['ENOENT'], () => unlink(fileOf(app.name, index)));
  });
  unless(['ENOENT'], () => rmdir(directoryOf(app.name)));
}

/** Apps have filled the file system, or one has a lease on the file, for which PID 1 would wait: the next change reaches it. */
const UNRENEWED = ['ENOSPC', 'ENOENT', 'EAGAIN'];

/** In place, since the app has this very file; in one write, so that who reads meanwhile finds whole lines. */
function renew(path: string, names: string): void {
  using file = File.open(path, open_.readWrite | open_.nonBlocking);
  const bytes = readToEnd(file.fd, FILE_MAX);
  // So much an app has written itself.
  if (bytes === undefined) return;
  const text = utf8Decode(bytes);
  const renewed = withNames(text, names);
  if (renewed === text) return;
  const content = utf8Encode(renewed);
  const blank = new Uint8Array(Math.max(bytes.length - content.length, 0)).fill(NEWLINE);
  writeAt(file.fd, concat([content, blank]), 0);
  truncate(file.fd, content.length);
}

const NEWLINE = 0x0a;

/** Of what is there, links followed inside the root; nothing for what is no file, or larger than such files are. */
function textOfRoot(path: string): string {
  using file = unless(['ENOENT', 'ENOTDIR', 'ENXIO'], () =>
    File.open(path, open_.readOnly | open_.nonBlocking),
  );
  if (file === undefined || fstat(file.fd).kind !== 'file') return '';
  return utf8Decode(readToEnd(file.fd, FILE_MAX) ?? new Uint8Array());
}

// Names of apps are words (appc ACName): they make paths.

function directoryOf(app: string): string {
  return `${COVERS}/${app}`;
}

function fileOf(app: string, index: number): string {
  return `${directoryOf(app)}/${index}`;
}
